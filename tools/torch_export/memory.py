"""Which nodes of a traced graph share memory, so that a change of one in place changes the others."""

# Layers whose result lies where their operand does.
VIEWS = {
    "Flatten", "Unflatten", "Reshape", "Squeeze", "Unsqueeze", "Permute", "Transpose", "Slice", "Split", "Identity",
    "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout",
}  # fmt: skip
# Views that no layer has: the arithmetic that takes them does what they do.
EXPANSIONS = {"expand", "expand_as", "broadcast_to"}
# Their result has numbers that are their operand's and memory of its own, always or at times.
COPIES, MAY_COPY = {"clone", "pad"}, {"contiguous"}


class Memory:
    def __init__(self):
        self.names = {}  # nodes of one name are one tensor
        self.origins = {}  # what a node is a view of, and which of its parts where it has several

    def view(self, node, operand, part=None):
        self.origins[node] = (operand, part)

    def same(self, node, operand, part=None):
        """`node` is what `operand` is, or one of its parts."""
        name = self.names.get(operand, operand)
        self.names[node] = name if part is None else (name, part)
        self.view(node, operand, part)

    def are_same(self, one, other):
        return self.names.get(one, one) == self.names.get(other, other)

    def is_part(self, one, several, part):
        return self.names.get(one, one) == (self.names.get(several, several), part)

    def overlap(self, one, other):
        """Whether a part of one may be a part of the other."""
        above = dict(self._chain(one))
        for node, part in self._chain(other):
            if node in above:
                return None in (part, above[node]) or part == above[node]
        return False

    def _chain(self, node):
        """The node and all that it is a view of, each with the part of it that leads to the node."""
        chain = [(node, None)]
        while chain[-1][0] in self.origins:
            chain.append(self.origins[chain[-1][0]])
        return chain
