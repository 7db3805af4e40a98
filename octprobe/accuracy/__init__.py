"""How often octave networks answer right: evaluated, trained, or trained once for every alpha."""
