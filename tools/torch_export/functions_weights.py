"""Calls that take parameters: F.linear(x, self.weight, self.bias) is a layer with the module's path."""

from .errors import Inexpressible

MAX_NORM = "max_norm changes the table while it is used"


def owner(**parameters):
    """The path whose weight, bias, ... these are; None where there are none."""
    given = {name: stored for name, stored in parameters.items() if stored is not None}
    paths = set()
    for name, stored in given.items():
        path = getattr(stored, "path", None)
        if path is None or stored.is_made:
            raise Inexpressible(
                f"its {name} is computed by forward, and a layer's parameters are stored; "
                "torch.nn.utils.parametrize computes them where they can be folded"
            )
        *outer, own = path.split(".")
        if own != name:
            raise Inexpressible(f"its {name} is called `{path}`, and a layer has it as `{name}`")
        paths.add(".".join(outer))
    if len(paths) > 1:
        raise Inexpressible(f"its parameters belong to several modules: {', '.join(sorted(paths))}")
    return paths.pop() if paths else None


def linear(call, input, weight, bias=None):
    path = owner(weight=weight, bias=bias)
    outputs, inputs = weight.tensor.shape
    options = {"in_features": inputs, "out_features": outputs, "bias": bias is not None}
    return call.add_at(path, "Linear", [input], **options)


def bilinear(call, input1, input2, weight, bias=None):
    path = owner(weight=weight, bias=bias)
    outputs, first, second = weight.tensor.shape
    options = {"in1_features": first, "in2_features": second, "out_features": outputs, "bias": bias is not None}
    return call.add_at(path, "Bilinear", [input1, input2], **options)


def convolution(dimensions):
    def mapping(call, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        path = owner(weight=weight, bias=bias)
        outputs, inputs, *kernel = weight.tensor.shape
        options = {"in_channels": inputs * groups, "out_channels": outputs, "kernel_size": kernel, "stride": stride}
        options |= {"padding": padding, "dilation": dilation, "groups": groups, "bias": bias is not None}
        return call.add_at(path, f"Conv{dimensions}d", [input], **options)

    return mapping


def transposed_convolution(dimensions):
    def mapping(call, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        path = owner(weight=weight, bias=bias)
        inputs, outputs, *kernel = weight.tensor.shape
        options = {"in_channels": inputs, "out_channels": outputs * groups, "kernel_size": kernel, "stride": stride}
        options |= {"padding": padding, "output_padding": output_padding, "groups": groups, "dilation": dilation}
        return call.add_at(path, f"ConvTranspose{dimensions}d", [input], **options, bias=bias is not None)

    return mapping


def _affine(weight, bias):
    if weight is None and bias is not None:
        raise Inexpressible("has a bias without a weight, which no layer has")
    return {"bias": bias is not None} if weight is not None else {}


def _norm(call, path, kind, input, options):
    return call.add(kind, [input], **options) if path is None else call.add_at(path, kind, [input], **options)


def layer_norm(call, input, normalized_shape, weight=None, bias=None, eps=1e-5):
    options = {"normalized_shape": normalized_shape, "eps": eps, "elementwise_affine": weight is not None}
    path = owner(weight=weight, bias=bias)
    options |= _affine(weight, bias)
    return _norm(call, path, "LayerNorm", input, options)


def rms_norm(call, input, normalized_shape, weight=None, eps=None):
    options = {"normalized_shape": normalized_shape, "eps": eps, "elementwise_affine": weight is not None}
    path = owner(weight=weight)
    return _norm(call, path, "RMSNorm", input, options)


def group_norm(call, input, num_groups, weight=None, bias=None, eps=1e-5):
    options = {"num_groups": num_groups, "num_channels": input.sizes[0][1], "eps": eps, "affine": weight is not None}
    path = owner(weight=weight, bias=bias)
    options |= _affine(weight, bias)
    return _norm(call, path, "GroupNorm", input, options)


def batch_norm(
    call, input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    if training:
        raise Inexpressible("normalises by the batch at hand in evaluation too; pass training=self.training")
    path = owner(running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    options = {"num_features": input.sizes[0][1], "eps": eps, "affine": weight is not None, **_affine(weight, bias)}
    return call.add_at(path, f"BatchNorm{max(input.rank - 2, 1)}d", [input], **options)


def instance_norm(
    call, input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1,
    eps=1e-5,
):  # fmt: skip
    if running_mean is not None or not use_input_stats:
        raise Inexpressible("has running statistics; use torch.nn.InstanceNorm")
    path = owner(weight=weight, bias=bias)
    kind = f"InstanceNorm{input.rank - 2}d"
    options = {"num_features": input.sizes[0][1], "eps": eps, "affine": weight is not None, **_affine(weight, bias)}
    return _norm(call, path, kind, input, options)


def local_response_norm(call, input, size, alpha=1e-4, beta=0.75, k=1.0):
    return call.add("LocalResponseNorm", [input], size=size, alpha=alpha, beta=beta, k=k)


def prelu(call, input, weight):
    return call.add_at(owner(weight=weight), "PReLU", [input], num_parameters=weight.tensor.numel())


def embedding(
    call, input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False
):
    if max_norm is not None:
        raise Inexpressible(MAX_NORM)
    path = owner(weight=weight)
    rows, width = weight.tensor.shape
    options = {"num_embeddings": rows, "embedding_dim": width, "padding_idx": padding_idx}
    return call.add_at(path, "Embedding", [input], **options)


MAPPINGS = {
    "linear": linear,
    "bilinear": bilinear,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": group_norm,
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    "local_response_norm": local_response_norm,
    "prelu": prelu,
    "embedding": embedding,
}
for _dimensions in (1, 2, 3):
    MAPPINGS[f"conv{_dimensions}d"] = convolution(_dimensions)
    MAPPINGS[f"conv_transpose{_dimensions}d"] = transposed_convolution(_dimensions)
