"""Groups of design points in, rows out; one device, one group at a time."""
