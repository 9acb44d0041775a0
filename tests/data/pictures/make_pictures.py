"""Writes the pictures beside it with Pillow, and what Pillow makes of them: NAME.npy, [height, width, channels]."""
import pathlib

import numpy as np
from PIL import Image

here = pathlib.Path(__file__).parent
height, width = 13, 17
y, x = np.mgrid[0:height, 0:width]
red, green, blue = (x * 15) % 256, (y * 19) % 256, (x * y * 3) % 256
rgb = np.stack([red, green, blue], 2).astype("u1")
alpha = ((x + y) * 8 % 256).astype("u1")
grey = Image.fromarray(rgb).convert("L")


def save(name, image, expected=None, **options):
    image.save(here / name, **options)
    array = np.asarray(Image.open(here / name) if expected is None else expected)
    np.save(here / (name + ".npy"), array[:, :, None] if array.ndim == 2 else array)


save("grey.png", grey)
save("rgb.png", Image.fromarray(rgb))
save("grey_alpha.png", Image.merge("LA", [grey, Image.fromarray(alpha)]))
save("rgba.png", Image.fromarray(np.dstack([rgb, alpha])))
palette = Image.fromarray(rgb).quantize(16)
save("palette.png", palette, palette.convert("RGB"))
opaque = np.where(np.asarray(palette) == 3, 0, 255).astype("u1")
save("palette_transparent.png", palette, np.dstack([np.asarray(palette.convert("RGB")), opaque]), transparency=3)
save("bits.png", grey.point(lambda v: 255 * (v > 99)).convert("1"), grey.point(lambda v: 255 * (v > 99)))
deep = np.asarray(grey).astype("u2") * 257
save("deep.png", Image.fromarray(deep), np.asarray(grey))
smooth = Image.fromarray(rgb).resize((40, 30), Image.BICUBIC)
save("rgb.jpg", smooth, quality=90)
save("progressive.jpg", smooth, quality=80, progressive=True)
save("grey.jpg", smooth.convert("L"), quality=90)
smooth.convert("CMYK").save(here / "cmyk.jpg", quality=95)
np.save(here / "cmyk.jpg.npy", np.asarray(Image.open(here / "cmyk.jpg").convert("RGB")))

source = Image.fromarray(rgb)
for h, w in [(13, 5), (4, 17), (6, 8), (29, 40), (1, 1), (3, 51), (13, 17), (64, 2)]:
    np.save(here / f"resized_{h}_{w}.npy", np.asarray(source.resize((w, h), Image.BILINEAR)))
np.save(here / "luma.npy", np.asarray(grey)[:, :, None])
