"""Linear and Bilinear over every number of leading dimensions."""

CASES = []
for shape in ([7], [1, 7], [3, 7], [2, 3, 7], [2, 1, 3, 7]):
    CASES.append((f"linear_{len(shape)}", {"type": "Linear", "in_features": 7, "out_features": 5}, [shape]))
CASES += [
    ("linear_no_bias", {"type": "Linear", "in_features": 3, "out_features": 9, "bias": False}, [[4, 3]]),
    ("linear_one", {"type": "Linear", "in_features": 1, "out_features": 1}, [[4, 1]]),
    ("bilinear", {"type": "Bilinear", "in1_features": 3, "in2_features": 5, "out_features": 4}, [[6, 3], [6, 5]]),
    ("bilinear_no_bias", {"type": "Bilinear", "in1_features": 2, "in2_features": 3, "out_features": 4, "bias": False},
     [[2, 3, 2], [2, 3, 3]]),
]
