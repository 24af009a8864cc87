"""`python -m bench`: the benchmarks of the write path, verification and reading, one after the other."""

from bench import commit, read, verify

for bench in (commit, verify, read):
    print(f"== {bench.__name__}")
    bench.main()
