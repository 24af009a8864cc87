"""Benchmarks: `python -m bench.NAME`. Each prints what it did, on which data, beside its peers, and writes
`bench/out/NAME.json`. Never a test: a figure is only as good as the machine that it was measured on.
"""
