"""Sourcing."""
from hanse.planning.sourcing.problem import Problem
