"""Writes reference.json: values of an independent implementation (NumPy, SciPy) for the tests beside this folder.

python3 -m venv /tmp/scipy && /tmp/scipy/bin/pip install scipy && /tmp/scipy/bin/python generate.py
"""

import json
import math
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20261123)


def samples():
    """Data sets by name: sizes about the switch from exact to normal, skew, ties, autocorrelation."""
    ar = [0.0]
    for _ in range(79):
        ar.append(0.4 * ar[-1] + rng.normal())
    return {
        "normal 20": rng.normal(0.01, 0.02, 20),
        "skewed 21": rng.lognormal(0, 1, 21),
        "heavy 48": rng.standard_t(3, 48),
        "tied 30": rng.integers(0, 8, 30).astype(float),
        "normal 60": rng.normal(5, 1, 60),
        "normal 61": rng.normal(-5, 1, 61),
        "autoregression 80": np.array(ar),
        "skewed 150": rng.lognormal(0, 0.5, 150),
    }


def walsh(x):
    i, j = np.triu_indices(len(x))
    return np.sort((x[i] + x[j]) / 2)


def signed_rank_pmf(n):
    """Exact, in whole numbers: subsets of 1..n by their sum."""
    counts = [1]
    for rank in range(1, n + 1):
        grown = counts + [0] * rank
        for total, ways in enumerate(counts):
            grown[total + rank] += ways
        counts = grown
    return counts


def signed_rank_depth(n, alpha):
    if n <= 60:
        counts, cumulative, depth = signed_rank_pmf(n), 0, 0
        while (cumulative + counts[depth]) / 2**n <= alpha:
            cumulative += counts[depth]
            depth += 1
        return depth
    sd = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    # Largest k for which the corrected normal has P(T <= k - 1) <= alpha.
    depth = 0
    while stats.norm.cdf((depth + 0.5 - n * (n + 1) / 4) / sd) <= alpha:
        depth += 1
    return depth


def lag1(x):
    d = x - x.mean()
    return float((d[1:] * d[:-1]).sum() / (d * d).sum())


def width_factor(rho, n):
    """From the covariance matrix of the autoregression itself, not the closed sum."""
    covariance = rho ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    variance_of_mean = covariance.sum() / n**2
    centering = np.eye(n) - 1 / n
    expected_s2 = np.trace(centering @ covariance) / (n - 1)
    return math.sqrt(variance_of_mean / (expected_s2 / n))


def mann_kendall(t, x):
    s = sum(np.sign(x[j] - x[i]) for i in range(len(x)) for j in range(i + 1, len(x)))
    n = len(x)
    ties = np.unique(x, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - sum(c * (c - 1) * (2 * c + 5) for c in ties)) / 18
    z = 0 if s == 0 else (s - np.sign(s)) / math.sqrt(variance)
    return {
        "atMs": t.tolist(),
        "values": x.tolist(),
        "tau": float(s / (n * (n - 1) / 2)),
        "p": float(2 * stats.norm.sf(abs(z))),
        "perMinute": float(stats.theilslopes(x, t).slope * 60_000),
        # The same test elsewhere, equal to tau where nothing is tied.
        "scipyTau": float(stats.kendalltau(t, x).statistic),
        "scipyExactP": float(stats.kendalltau(t, x, method="exact").pvalue) if len(ties) == n else None,
    }


def dataset(x):
    averages = walsh(x)
    n = len(x)
    levels = [0.05, 0.025, 0.01, 0.003, 0.002]
    depths = [signed_rank_depth(n, level) for level in levels]
    return {
        "values": x.tolist(),
        "quantiles": [[q, float(np.quantile(x, q))] for q in (0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1)],
        "mean": float(x.mean()),
        "mad": float(stats.median_abs_deviation(x)),
        "hodgesLehmann": float(np.median(averages)),
        "intervals": [
            {"alpha": a, "depth": k, "low": float(averages[k - 1]), "high": float(averages[len(averages) - k])}
            for a, k in zip(levels, depths)
        ],
        "lag1": lag1(x),
    }


def tails():
    """Ratio of pooled quantiles with a block bootstrap that writes the resamples out."""
    blocks, per_block, resamples = 40, 300, 4000
    effect = rng.normal(0, 0.05, blocks)
    a = np.round(100 * np.exp(effect[:, None] + rng.normal(0.03, 0.3, (blocks, per_block))), 2)
    b = np.round(100 * np.exp(effect[:, None] + rng.normal(0, 0.3, (blocks, per_block))), 2)
    draws = rng.integers(0, blocks, (resamples, blocks))
    result = {}
    for name, figure in {
        "p50": lambda s: np.quantile(s, 0.5),
        "p95": lambda s: np.quantile(s, 0.95),
        "p99": lambda s: np.quantile(s, 0.99),
        "mean": np.mean,
    }.items():
        pairs = [(figure(a[d].ravel()), figure(b[d].ravel())) for d in draws]
        fa, fb = figure(a.ravel()), figure(b.ravel())
        result[name] = {
            "aUs": float(fa),
            "bUs": float(fb),
            "logRatio": float(np.log(fa / fb)),
            "logRatioError": float(np.std([np.log(x / y) for x, y in pairs], ddof=1)),
            "differenceError": float(np.std([x - y for x, y in pairs], ddof=1)),
        }
    return {"a": a.tolist(), "b": b.tolist(), "figures": result}


def pod_components(n, pods, sd, keep):
    """Method of moments with the matrices written out: y'Qy for the projections, expectations as traces."""
    block = np.arange(n)
    block = block[rng.random(n) < keep]
    sweep = block // max(pods)
    own, over = (block + sweep) % pods[0], block % pods[1]
    y = rng.normal(0, sd[0], pods[0])[own] - rng.normal(0, sd[1], pods[1])[over] + rng.normal(0.01, 1, len(block))
    z = [np.equal.outer(arm, np.unique(arm)).astype(float) for arm in (own, over)]
    ones = np.ones((len(block), 1))
    between = lambda m: m @ np.linalg.pinv(m) - ones @ np.linalg.pinv(ones)
    forms = [np.eye(len(block)) - ones @ np.linalg.pinv(ones), between(z[0]), between(z[1])]
    covariances = [z[0] @ z[0].T, z[1] @ z[1].T, np.eye(len(block))]
    expected = np.array([[np.trace(q @ c) for c in covariances] for q in forms])
    first, second, noise = np.linalg.solve(expected, [y @ q @ y for q in forms])
    # Variance that one unit of each component adds to the mean.
    weights = [float((ones.T @ c @ ones).item()) / len(block) ** 2 for c in (m @ m.T for m in z)]
    return {
        "pod": own.tolist(),
        "overPod": over.tolist(),
        "values": y.tolist(),
        "variances": [float(first), float(second)],
        "weights": weights,
        "noise": float(noise),
    }


t = np.cumsum(rng.uniform(300, 900, 40))
reference = {
    "made": f"generate.py, NumPy {np.__version__}, SciPy {scipy.__version__}",
    "datasets": {name: dataset(x) for name, x in samples().items()},
    "signedRank": {
        str(n): [sum(signed_rank_pmf(n)[: t + 1]) / 2**n for t in range(n * (n + 1) // 2 + 1)] for n in (1, 5, 20, 60)
    },
    "widthFactors": [[rho, n, width_factor(rho, n)] for rho in (0.1, 0.3, 0.6, 0.9) for n in (20, 50, 100)],
    "normalQuantiles": [[p, float(stats.norm.ppf(p))] for p in (1e-12, 1e-6, 0.002, 0.025, 0.3, 0.5, 0.9, 0.99, 0.9999)],
    "normalUpperTails": [[z, float(stats.norm.sf(z))] for z in (-1.5, 0, 0.1, 1, 1.96, 2.99, 3, 3.01, 5, 10, 30)],
    "studentQuantiles": [
        [alpha, df, float(stats.t.isf(alpha, df))]
        for alpha in (0.002, 0.003, 0.025, 0.25)
        for df in (1, 4, 19, 19.5, 99, 5000)
    ],
    "drift": {
        "rising": mann_kendall(t, 80 + t / 20_000 + rng.normal(0, 1, 40)),
        "level": mann_kendall(t, 80 + rng.normal(0, 1, 40)),
        "tied": mann_kendall(t, np.round(80 - t / 10_000 + rng.normal(0, 1, 40))),
    },
    "tails": tails(),
    "podComponents": {
        "6 and 6": pod_components(48, (6, 6), (0.5, 0.5), 1),
        "unequal, blocks missing": pod_components(70, (6, 6), (3, 0.3), 0.85),
        "8 and 8, few sweeps": pod_components(23, (8, 8), (1, 1), 1),
        "6 and 3": pod_components(50, (6, 3), (1, 1), 0.9),
        "2 and 2": pod_components(21, (2, 2), (0, 1), 1),
    },
}
Path(__file__).with_name("reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
