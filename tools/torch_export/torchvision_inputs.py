"""What torchvision's models take where nothing else is said; known without torchvision."""

# Frames and pixels of those that take clips, as they were trained or nearly so.
VIDEO = {
    "mc3_18": (16, 112), "r2plus1d_18": (16, 112), "r3d_18": (16, 112), "s3d": (16, 224), "mvit_v1_b": (16, 224),
    "mvit_v2_s": (16, 224), "swin3d_b": (32, 224), "swin3d_s": (32, 224), "swin3d_t": (32, 224),
}  # fmt: skip


def sample_shape(name):
    """The sizes of one sample: (channels, height, width) of a picture, or (channels, frames, height, width) of a clip."""
    if name in VIDEO:
        frames, side = VIDEO[name]
        return (3, frames, side, side)
    side = 299 if name == "inception_v3" else 224
    return (3, side, side)
