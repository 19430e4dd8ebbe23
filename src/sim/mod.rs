//! Binds kernel, transcription and engine into a world.
