/** Below this p (Mann–Kendall) a drift of the reference arm is reported. */
export const DRIFT_P = 0.01
