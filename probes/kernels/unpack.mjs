/** Kernels that need not unpack themselves. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'

const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const SECTOR = 512

/**
 * What of a kernel's folder is to be booted: its image, unpacked once where it is packed by zstd, which takes an emulated machine up to
 * 12 s. (Those of Debian that are not are packed by LZ4, which takes no time.) Header: <https://docs.kernel.org/arch/x86/boot.html>
 * @param {string} folder
 * @returns {string} its path
 */
export function bootable(folder) {
  const [packed, plain] = ['vmlinuz', 'vmlinux'].map((name) => join(folder, name))
  if (existsSync(plain)) return plain
  const image = readFileSync(packed)
  // setup_sects, payload_offset and payload_length, which has the unpacked length as its last four bytes.
  const from = (image.readUInt8(0x1f1) + 1) * SECTOR + image.readUInt32LE(0x248)
  const payload = image.subarray(from, from + image.readUInt32LE(0x24c) - 4)
  // Node has it since 22.15.
  if (!payload.subarray(0, ZSTD.length).equals(ZSTD) || zlib.zstdDecompressSync === undefined) return packed
  writeFileSync(`${plain}.part`, zlib.zstdDecompressSync(payload))
  renameSync(`${plain}.part`, plain)
  return plain
}
