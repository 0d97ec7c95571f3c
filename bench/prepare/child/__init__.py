"""The part of prepare that needs Keras, TensorFlow, ONNX or ONNX Runtime: only ever run in a child process."""
