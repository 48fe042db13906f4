"""One toy of this model's size in five engines, to tell what an engine costs when the model is the same.

`toy` is the specification; each other module runs it in one engine and returns the same array, number by number.
`python -m benchmarks.peers` times them side by side.
"""
