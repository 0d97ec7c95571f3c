"""Wrong ONNX files made of a correct one, one fault each: what the agreement check has to call out."""
