#!/usr/bin/env python3
"""Data-parallel training on many machines, on paper: speed-ups up to 1024 ranks, from a measured step and two figures of a network.

    benchmarks/ranks/many_machines.py build/bench/benchmarks/hourglass_ranks
    benchmarks/ranks/many_machines.py --step W2=51.2,2.5 --latency 2e-6 --bandwidth 12.5e9

The program prints the milliseconds of a gradient and of an optimiser's step on one rank, which --step gives instead. A message
of m bytes takes alpha + m beta: the latency, and the time of a byte. An all-reduce of m bytes among p ranks then takes (Thakur,
Rabenseifner and Gropp 2005, "Optimization of collective communication operations in MPICH"; additions are left out)

    recursive doubling   log2 p (alpha + m beta)
    ring                 2 (p - 1) alpha + 2 (p - 1)/p m beta
    Rabenseifner's       2 log2 p alpha + 2 (p - 1)/p m beta

of which an MPI takes the best for the size. A step is gradient, all-reduce and optimiser, one behind the other. Weak scaling
leaves each rank its samples, so that the batch grows; strong scaling divides one batch, the gradient of fewer samples being
taken to cost in proportion (it costs more: products of few columns are slower). Every rank steps all parameters. `hidden` is
what overlap could give at most: as long as the longer of gradient and all-reduce.
"""

import argparse
import math
import re
import subprocess


def dense(*sizes):
    return sum(a * b + b for a, b in zip(sizes, sizes[1:]))


# Samples of a batch and parameters.
NETS = {
    "W2": (256, dense(784, 1000, 500, 250, 30, 250, 500, 1000, 784)),
    # Convolutions 1-32-64, dense 3136-16-3136, transposed convolutions 64-64-32-1, all of 3 x 3.
    "W8": (128, 9 * (32 + 32 * 64 + 64 * 64 + 64 * 32 + 32) + 32 + 64 + 64 + 32 + 1 + dense(3136, 16, 3136)),
}


def all_reduce(p, size, alpha, beta):
    """Seconds of (recursive doubling, ring, Rabenseifner's) among p ranks."""
    steps = math.ceil(math.log2(p))
    moved = 2 * (p - 1) / p * size * beta
    return steps * (alpha + size * beta), 2 * (p - 1) * alpha + moved, 2 * steps * alpha + moved


def print_table(name, gradient, optimiser, alpha, beta):
    """Of milliseconds."""
    batch, parameters = NETS[name]
    print(f"\n{name}: {parameters} parameters, {4 * parameters / 1e6:.2f} MB a message; on one rank a gradient of {batch} samples "
          f"takes {gradient:.2f} ms, the optimiser {optimiser:.2f} ms")
    print("        all-reduce, ms                        weak: speed-up            strong: speed-up")
    print("ranks   doubling     ring  Rabenseifner       ring    best  hidden      ring    best  hidden")
    for p in [1 << k for k in range(11)]:
        times = [1e3 * t for t in all_reduce(p, 4 * parameters, alpha, beta)]
        ring, best = times[1], min(times)

        def speed_ups(share):  # of a batch, on each rank
            steps = [gradient * share + ring, gradient * share + best, max(gradient * share, best)]
            return "".join(f"{p * share * (gradient + optimiser) / (step + optimiser):8.1f}" for step in steps)

        print(f"{p:5d}  {times[0]:9.3f}{times[1]:9.3f}{times[2]:14.3f}   {speed_ups(1)}  "
              + (speed_ups(1 / p) if p <= batch else "       -" * 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", help="hourglass_ranks, which measures the steps now")
    parser.add_argument("--step", action="append", default=[], metavar="NET=MS,MS", help="its gradient and optimiser: W2=51.2,2.5")
    parser.add_argument("--latency", type=float, default=2e-6, metavar="S", help="alpha (2e-6)")
    parser.add_argument("--bandwidth", type=float, default=12.5e9, metavar="B/S", help="1/beta, bytes/s (12.5e9: 100 Gbit/s)")
    arguments = parser.parse_args()
    steps = {}
    if arguments.program:
        printed = subprocess.run([arguments.program], check=True, capture_output=True, text=True).stdout
        for name, parameters, gradient, optimiser in re.findall(
                r"(W\d): (\d+) parameters.* gradient ([\d.]+) ms.* optimiser ([\d.]+) ms", printed):
            if int(parameters) != NETS[name][1]:
                parser.error(f"{name} has {parameters} parameters there, and {NETS[name][1]} here")
            steps[name] = (float(gradient), float(optimiser))
    for each in arguments.step:
        found = re.fullmatch(r"(W\d)=([\d.]+),([\d.]+)", each)
        if not found or found[1] not in NETS:
            parser.error(f"--step {each}: expected W2=51.2,2.5, of {', '.join(NETS)}")
        steps[found[1]] = (float(found[2]), float(found[3]))
    if not steps:
        parser.error("give the program hourglass_ranks, or steps: --step W2=51.2,2.5")
    print(f"alpha {arguments.latency * 1e6:g} us, 1/beta {arguments.bandwidth / 1e9:g} GB/s")
    for name, step in steps.items():
        print_table(name, *step, arguments.latency, 1 / arguments.bandwidth)


if __name__ == "__main__":
    main()
