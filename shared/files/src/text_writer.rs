//! Writes a text output.

use std::io::{self, Write};

use tokio::sync::mpsc::Receiver;

use crate::{
    checkpoint::{Checkpointer, WriteError, WriteOutcome},
    header::Headers,
    output::Output,
    position::Position,
    rendered::{Message, Rendered, RenderedRows},
};

/// Writes the headers, unless the run is resumed, and then rows until the last message.
pub(crate) fn write_text(
    mut output: Output,
    mut checkpointer: Checkpointer,
    headers: &Headers,
    mut messages: Receiver<Message>,
) -> Result<WriteOutcome, WriteError> {
    if checkpointer.checkpoint.position == Position::default() {
        let written = output.write_all(&headers.output).and_then(|()| checkpointer.reject(&headers.rejects));
        written.map_err(|cause| WriteError { cause, kept_rows: None })?;
    }
    loop {
        let written = match messages.blocking_recv() {
            Some(Message::Rows(rendered)) => write_rows(&mut output, &mut checkpointer, &rendered),
            Some(Message::End) => return checkpointer.finish(output),
            Some(Message::Discard) => {
                checkpointer.discard();
                return Ok(WriteOutcome::Suspended(None));
            }
            None => return Ok(WriteOutcome::Suspended(checkpointer.suspend(&mut output))),
        };
        if let Err(cause) = written {
            return Err(WriteError { cause, kept_rows: checkpointer.suspend(&mut output) });
        }
    }
}

fn write_rows(output: &mut Output, checkpointer: &mut Checkpointer, rendered: &Rendered) -> io::Result<()> {
    if let RenderedRows::Text(text) = &rendered.rows {
        output.write_all(text)?;
    }
    checkpointer.reject(&rendered.rejects)?;
    checkpointer.advance(output.bytes(), &rendered.stats, rendered.after);
    if checkpointer.is_due() { checkpointer.write(output) } else { Ok(()) }
}
