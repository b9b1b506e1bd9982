"""SavedModels for TensorFlow Serving: signatures, text in the graph, warm-up requests.

Takes functions to trace, never a model.
"""
