"""A trace that torch.profiler exported, read exactly: who launched which kernel, and where the time went."""
