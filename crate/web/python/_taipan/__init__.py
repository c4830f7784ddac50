"""The part of Taipan that has to be Python: running cells, showing values, describing exceptions.

Everything here is called from Rust (``crate/web/src/session``). Modules that a run may not need are imported late:
what is imported here is compiled on every first visit.
"""
