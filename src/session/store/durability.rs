/// What a store has done with a write when it answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// It is on the disk: it survives the loss of power.
    #[default]
    Full,
    /// The operating system has it: it survives the end of the process, however it ends. A machine that stops loses the last
    /// seconds, and nothing before a write that it keeps.
    Os,
}
