"""From MACs saved to time saved: by batch, and why not."""
