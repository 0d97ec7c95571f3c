"""Cheap hypotheses about why an output differs: arrays in, ``Finding`` out. ``diagnosis.py`` ranks what they find."""
