//! Activities that move data between a request and those outside of it.

mod input_stream;
mod output_stream;

pub use input_stream::InputStream;
pub use output_stream::OutputStream;
