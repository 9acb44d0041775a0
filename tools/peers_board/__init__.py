"""The board of tools/peers: seq and its peers on the same networks, with the same weights, in one run.

command.py reads the command line. What runs in the peers' own Python: make_network.py, worker.py, versions.py and
picture.py; all else needs the standard library alone.
"""
