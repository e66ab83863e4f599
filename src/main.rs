use std::process::ExitCode;

fn main() -> ExitCode {
    vdps::cli::run()
}
