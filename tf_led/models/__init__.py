"""The only readers of `LEDConfig`: encoder, decoder, the models, their outputs."""
