//! What the forge writes is what readers see: ours and an independent one.
