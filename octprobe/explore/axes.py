"""Which axes are given and which are free to choose: results are never mixed across given axes."""

ENVIRONMENT_AXES = ("device", "device_name", "env_id")
LAYER_AXES = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
CONDITION_AXES = ("resolution", "batch", "dtype", "mode", "threads")
# What a person who chooses alpha cannot choose: device, load and precision; for a layer, which layer.
GIVEN_AXES = (*ENVIRONMENT_AXES, "subject", *LAYER_AXES, *CONDITION_AXES)
ALPHA_AXES = ("alpha", "alpha_map", "alpha_in", "alpha_out")
VARIANT_AXES = ("kernel", "exchange", "downsample", "octave_kernels", "return_at")
FORM_AXES = ("memory_format", "execution")
FREE_AXES = ("network", *ALPHA_AXES, *VARIANT_AXES, *FORM_AXES)
