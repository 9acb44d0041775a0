"""PixelShuffle, PixelUnshuffle, ChannelShuffle."""

CASES = []
for factor in (1, 2, 3):
    channels = 2 * factor * factor
    for shape in ([channels, 3, 4], [2, channels, 2, 5], [2, 3, channels, 2, 1]):
        CASES.append(
            (f"pixelshuffle_{factor}_{len(shape)}", {"type": "PixelShuffle", "upscale_factor": factor}, [shape])
        )
    for shape in ([3, 2 * factor, factor], [2, 3, 3 * factor, 2 * factor], [2, 1, 2, factor, 4 * factor]):
        CASES.append(
            (f"pixelunshuffle_{factor}_{len(shape)}", {"type": "PixelUnshuffle", "downscale_factor": factor}, [shape])
        )
for groups in (1, 2, 3, 6):
    for shape in ([2, 6, 5], [1, 6, 3, 4], [2, 6, 2, 3, 2]):
        CASES.append((f"channelshuffle_{groups}_{len(shape)}", {"type": "ChannelShuffle", "groups": groups}, [shape]))
