"""MACs, bytes and parameters: counted, cross-checked, with closed forms beside them."""
