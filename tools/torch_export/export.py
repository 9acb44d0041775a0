"""All steps of an export, from the command line's words to the files."""

import dataclasses
import os
import sys
import tempfile

from . import arrange, bare, command_line, compare, convert, document, load, reasons, sizes, torchvision_inputs, trace
from .errors import ExportError, Refused, UsageError

_DTYPES = {name: dtype for dtype, name in document.DTYPES.items()}


@dataclasses.dataclass
class Model:
    """What is written."""

    text: str
    state: dict
    notes: list
    output_names: list


def export(options, input_texts, symbols):
    source, function = load.split_source(options.module)
    name = options.name or function
    command_line.check_name(name, "the function's name")
    if options.check:
        compare.command()
    module = load.load_module(source, function, options.seed)
    if options.weights is not None:
        load.load_weights(module, options.weights)
    folded = trace.fold_parametrizations(module)
    notes = [f"{path or name}: the parametrization is folded into its weight" for path in folded]
    if unseen := trace.unseen(module):
        raise Refused(name, unseen)
    module = bare.held(module, name)
    defaults = _torchvision_input(function) if source == "torchvision" and not input_texts else []
    inputs, arguments = match_inputs(module, input_texts or defaults, name)
    unknown = set(symbols) - {dim for spec in inputs for dim in spec.shape if isinstance(dim, str)}
    if unknown:
        raise UsageError(f"--set: no input has the symbol {', '.join(sorted(unknown))}")
    model = build(module, name, inputs, arguments, symbols, options.rename)
    for note in notes + model.notes:
        print(f"note: {note}", file=sys.stderr)
    spec = write(options.out, name, model)
    if options.check:
        binding = sizes.first_binding(inputs, symbols)
        tensors = compare.make_inputs(inputs, binding, module, options.seed or 0)
        apart = compare.compare(module, arguments, spec, inputs, tensors, model.output_names)
        print(f"{spec}: {apart:.2g} of the largest magnitude from PyTorch")


def _torchvision_input(name):
    return [("x", ("N", *torchvision_inputs.sample_shape(name)), "f32")]


def match_inputs(module, texts, name):
    """The inputs in forward's order, and for each argument of forward the input or the default it gets."""
    arguments = trace.arguments_of(module)
    required = [key for key, default in arguments.items() if default is trace.NO_DEFAULT]
    given = [key for key, _, _ in texts]
    if len(set(given)) < len(given):
        raise UsageError("--input names an input twice")
    if set(given) <= set(arguments):
        matched = {key: key for key in given}
    elif not set(given) & set(arguments) and len(given) <= len(arguments):
        matched = dict(zip(arguments, given))
    else:
        raise UsageError(f"--input {', '.join(given)}: forward of {name} takes {', '.join(arguments)}")
    missing = [key for key in required if key not in matched]
    if missing:
        raise UsageError(f"forward of {name} takes {', '.join(arguments)}: --input {missing[0]}=DIMS is missing")
    specs = {key: sizes.Input(key, shape, _DTYPES[dtype]) for key, shape, dtype in texts}
    placed = {key: specs[matched[key]] if key in matched else default for key, default in arguments.items()}
    inputs = [item for item in placed.values() if isinstance(item, sizes.Input)]
    if not inputs:
        raise UsageError(f"forward of {name} takes no argument, so the model would have no input")
    return inputs, placed


def build(module, name, inputs, arguments, symbols, rename):
    """The text and the parameters of the model file; raises Refused with all that has no layer."""
    defaults = {key: item for key, item in arguments.items() if not isinstance(item, sizes.Input)}
    graph = trace.trace(module, name, defaults)
    try:
        samples = sizes.record(graph, list(arguments.values()), sizes.bindings(inputs, symbols))
    except sizes.Failed as error:
        misspelled = isinstance(error.__cause__, AttributeError)
        if not misspelled and (reason := reasons.without_layer(graph, error.node, str(error))):
            raise Refused(name, [reasons.refusal(graph, error.node, reason)]) from error
        raise
    names = [item.name if isinstance(item, sizes.Input) else None for item in arguments.values()]
    converter = convert.Converter(graph, samples, names).run()
    if converter.refusals:
        raise Refused(name, converter.refusals)
    layers = convert.prune(converter.layers, converter.outputs)
    root, renamed = place(layers, name, {spec.name for spec in inputs}, rename)
    state, left_out = load.needed_state(module, layers, renamed)
    notes = converter.notes + [f"{old} is called {new}" for old, new in renamed.items()]
    if left_out:
        notes.append(f"left out, as no layer uses them: {_shortened(left_out)}")
    weights = f"{name}.safetensors" if state else None
    text, outputs = document.text_of(root, name, inputs, converter.inputs[0], converter.outputs, weights)
    return Model(text, state, notes, outputs)


def place(layers, name, input_names, rename):
    """The outermost container, and new paths by old where they had to change."""
    if not layers:
        raise ExportError(f"{name} computes nothing from its inputs")
    renamed, found, root = {}, [], None
    while root is None:
        try:
            root = arrange.arrange(layers)
        except arrange.Interleaved as error:
            found += arrange.refusals(error)
            former = {new: old for old, new in renamed.items()}
            moved = arrange.separate(layers, error.containers)
            renamed |= {former.get(old, old): new for old, new in moved.items()}
    found = [] if rename else found
    found += arrange.clashes(layers, input_names)
    if found:
        raise Refused(name, found)
    return root, renamed


def _shortened(names):
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def write(folder, name, model):
    """Both files, each whole or not at all; returns the path of the model file."""
    folder.mkdir(parents=True, exist_ok=True)
    if model.state:
        from safetensors.torch import save_file

        _replace(folder / f"{name}.safetensors", lambda path: save_file(model.state, path))
    _replace(folder / f"{name}.json", lambda path: path.write_text(model.text, encoding="utf-8"))
    return folder / f"{name}.json"


def _replace(path, write_to):
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = type(path)(folder) / path.name
        write_to(written)
        written.chmod(0o644)
        os.replace(written, path)
