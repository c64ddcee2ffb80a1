//! What the loader knows and the programs need: put into their instructions, where something stands for it. Neither can be had from
//! Aya: it knows no functions of the kernel (kfuncs), and puts settings into a map, whose values are read whenever they are needed.

use std::{fs, ptr, slice};

use meshmark_common::probe::{AS_TCP, SETTING, Settings};

use crate::{btf::KernelTypes, problem::Problem};

/// `BPF_JMP | BPF_CALL` and `BPF_LD | BPF_DW | BPF_IMM`, in `linux/bpf_common.h` and `linux/bpf.h`. The second is followed by the upper half
/// of what it loads.
const CALL: u8 = 0x85;
const CONSTANT: u8 = 0x18;
/// As the source register of a call, `BPF_PSEUDO_KFUNC_CALL`: of a function of the kernel, by the number of its type.
const OF_THE_KERNEL: u8 = 2 << 4;
/// Helper `bpf_skc_to_tcp_sock()`: it finds out by itself whether the socket is one, and takes no notice of the second argument.
const HELPER: u32 = 137;
/// The verifier puts a move in its place, so that nothing is called when the program runs (6.2).
const FUNCTION: &str = "bpf_rdonly_cast";

/// # Arguments
/// `object`: an ELF file, whose instructions are aligned to their 8 bytes
pub fn fill(object: &[u8], settings: &Settings, types: &KernelTypes) -> Result<Vec<u8>, Problem> {
    let mut object = object.to_vec();
    let as_tcp = match types.function(FUNCTION).filter(|_| is_compiled()) {
        Some(number) => instruction(CALL, OF_THE_KERNEL, number),
        None => instruction(CALL, 0, HELPER),
    };
    let (as_tcp_placeholder, setting) = (instruction(CALL, 0, AS_TCP), instruction(0, 0, SETTING));
    let mut filled = 0;
    let instructions = object.as_chunks_mut().0;
    for index in 1..instructions.len() {
        let [first, second] = &mut instructions[index - 1..=index] else { continue };
        if *first == as_tcp_placeholder {
            *first = as_tcp;
        } else if *second == setting && first[0] == CONSTANT {
            let value = value(settings, *first)?;
            first[4..].copy_from_slice(&value);
            second[4..].fill(0);
            filled += 1;
        }
    }
    if filled == 0 {
        return Err(Problem::new(
            "the eBPF object has no place for settings: it is not one of meshmark's probes",
        ));
    }
    Ok(object)
}

/// Programs that are interpreted may not call functions of the kernel.
fn is_compiled() -> bool {
    // Where nobody may switch the compiler off, and within network namespaces, there may be no such file.
    fs::read_to_string("/proc/sys/net/core/bpf_jit_enable").map_or(true, |text| text.trim() != "0")
}

/// Of the setting that an instruction with a placeholder stands for.
fn value(settings: &Settings, instruction: [u8; 8]) -> Result<[u8; 4], Problem> {
    // SAFETY: plain integers without padding.
    let bytes = unsafe { slice::from_raw_parts(ptr::from_ref(settings).cast::<u8>(), size_of::<Settings>()) };
    let [_, _, _, _, offset @ ..] = instruction;
    bytes.get(u32::from_le_bytes(offset) as usize..).and_then(|rest| rest.first_chunk()).copied().ok_or_else(
        || Problem::new("the eBPF object wants a setting that there is not: it is of another version"),
    )
}

fn instruction(code: u8, registers: u8, immediate: u32) -> [u8; 8] {
    let [a, b, c, d] = immediate.to_le_bytes();
    [code, registers, 0, 0, a, b, c, d]
}
