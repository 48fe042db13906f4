"""A simulator of one question: asked for Guard volunteers who stay under their governors, how many states agree, and how fast?

Import the modules by their full name (`from sim.model import run`); this package imports nothing by itself,
so that the command line answers `--help` without loading the model.
"""
