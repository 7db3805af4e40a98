"""The census: every architecture of timm's CNN modules, converted and judged: `make networks`."""
