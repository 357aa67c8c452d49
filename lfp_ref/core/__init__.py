"""The core: the contract of a layer, passes as values, parameters and state, array layouts, checks of arguments."""
