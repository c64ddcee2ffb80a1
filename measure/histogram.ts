/** Exchange of latencies: HdrHistogram V2, compressed, base64; values in ns with three significant digits. */
import hdr from 'hdr-histogram-js'

const HIGHEST_NS = 60_000_000_000

/** Encodes µs samples; null for none. */
export function encodeHistogram(samplesUs: Iterable<number>): string | null {
  const histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_NS,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  })
  for (const us of samplesUs) histogram.recordValue(Math.min(HIGHEST_NS, Math.max(1, Math.round(us * 1000))))
  return histogram.totalCount === 0 ? null : hdr.encodeIntoCompressedBase64(histogram)
}
