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
/// `bpf_skc_to_tcp_sock()`, to which a second argument is nothing.
const CAST_HELPER: u32 = 137;
/// The verifier puts a move in its place, so that nothing is called when the program runs (6.2).
const CAST_FUNCTION: &str = "bpf_rdonly_cast";

/// The number of the kernel's function that makes a socket one of TCP, where programs may call that.
pub fn cast(types: &KernelTypes) -> Option<u32> {
    types.function(CAST_FUNCTION).filter(|_| is_compiled())
}

/// Programs that are interpreted may not call functions of the kernel.
fn is_compiled() -> bool {
    // Within a network namespace there is no such file; kernels that can't compile programs are rare.
    fs::read_to_string("/proc/sys/net/core/bpf_jit_enable").map_or(true, |text| text.trim() != "0")
}

/// # Arguments
/// `object`: an ELF file, whose instructions are aligned to their 8 bytes
/// `cast`: from `cast()`
pub fn fill(object: &[u8], settings: &Settings, cast: Option<u32>) -> Result<Vec<u8>, Problem> {
    let mut object = object.to_vec();
    let as_tcp = match cast {
        Some(number) => instruction(CALL, OF_THE_KERNEL, number),
        None => instruction(CALL, 0, CAST_HELPER),
    };
    let (as_tcp_placeholder, setting) = (instruction(CALL, 0, AS_TCP), instruction(0, 0, SETTING));
    let mut filled = 0;
    let instructions = object.as_chunks_mut().0;
    for index in 1..instructions.len() {
        let [first, second] = &mut instructions[index - 1..=index] else { continue };
        if *first == as_tcp_placeholder {
            *first = as_tcp;
        } else if *second == setting && first[0] == CONSTANT {
            let word = value(settings, *first)?;
            first[4..].copy_from_slice(&word);
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

#[cfg(test)]
mod tests {
    use meshmark_common::probe::{
        AS_TCP, MEASURES, NOT_MEASURED, Offsets, SETTING, STORE_SOCKET, Settings, placeholder,
    };

    use super::{CALL, CAST_HELPER, CONSTANT, OF_THE_KERNEL, fill, instruction};
    use crate::session::OBJECT;

    fn settings() -> Settings {
        Settings {
            tcp_type: 4_711,
            fallback: 0,
            addresses: 0,
            cgroups: 0,
            users: 0,
            store: STORE_SOCKET,
            clocked_receive: 0,
            atomic: 0,
            last_slot: 0,
            first: [NOT_MEASURED; MEASURES],
            drop_arguments: 0,
            retransmit_error: 0,
            offsets: Offsets::default(),
        }
    }

    /// `r3 = PLACEHOLDER ll`, and the call.
    fn program(offset: u32) -> Vec<u8> {
        let placeholder = placeholder(offset);
        let [lower, upper] = [placeholder, placeholder >> 32].map(|half| half as u32);
        [
            instruction(CONSTANT, 3, lower),
            instruction(0, 0, upper),
            instruction(CALL, 0, AS_TCP),
            instruction(0x95, 0, 0),
        ]
        .concat()
    }

    #[test]
    fn a_setting_and_a_call() {
        let filled = |call| {
            [instruction(CONSTANT, 3, 4_711), instruction(0, 0, 0), call, instruction(0x95, 0, 0)].concat()
        };
        let offset = std::mem::offset_of!(Settings, tcp_type) as u32;
        let helper = fill(&program(offset), &settings(), None).map_err(|problem| problem.0);
        assert_eq!(helper, Ok(filled(instruction(CALL, 0, CAST_HELPER))));
        let function = fill(&program(offset), &settings(), Some(65_504)).map_err(|problem| problem.0);
        assert_eq!(function, Ok(filled(instruction(CALL, OF_THE_KERNEL, 65_504))));
    }

    #[test]
    fn nothing_of_them_is_left_in_the_probes() {
        let Ok(object) = fill(OBJECT, &settings(), None) else { panic!("it has settings") };
        let is_left =
            |word: &[u8]| word == instruction(CALL, 0, AS_TCP) || word == instruction(0, 0, SETTING);
        assert_eq!(object.len(), OBJECT.len());
        assert!(OBJECT.chunks(8).any(is_left));
        assert!(!object.chunks(8).any(is_left));
    }

    #[test]
    fn another_object() {
        let said = |object: &[u8]| fill(object, &settings(), None).err().map(|problem| problem.0);
        assert!(
            said(b"\x7fELF, but of something else").is_some_and(|text| text.contains("not one of meshmark"))
        );
        let beyond = size_of::<Settings>() as u32 - 3;
        assert!(said(&program(beyond)).is_some_and(|text| text.contains("another version")));
    }
}
