"""One module for each peer that is used from Python: load(arguments) returns (run, answer), where run computes one answer
into memory that is there already, and answer() gives it as an array. What a peer imports is imported at the top."""
