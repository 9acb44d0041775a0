"""From a torch.nn.Module to a seq/1 file and its weights; the command is tools/export_torch.py.

command_line        what can be judged before PyTorch is loaded
torchvision_inputs  the inputs of torchvision's models, where nothing is said of them
load                the module that the command line names, and its parameters
bare                a layer of torch.nn that is all of the module
trace               the module as a torch.fx graph, each node with its scope and the user's line
state               what forward leaves behind for its next call
sizes               what each node gives at several values of the symbols
convert             nodes to layers, by the tables in modules and functions_*
reasons             why no layer does an operation
memory              which nodes share memory, for changes in place
arrange             layers into containers, so that parameters have the names of the state_dict
document            the JSON text and the files
compare             seqc's answer beside PyTorch's
"""
