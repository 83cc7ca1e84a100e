//! How a function is linked: without the tables for unwinding, a tenth of what is uploaded and loaded. It aborts on a panic,
//! and prints its words and place first, as it would with them; Lambda shows no stack either way.

/// Where what the linker is told stands.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../no-unwinding.ld");

fn main() {
    println!("cargo::rerun-if-changed=../link.rs");
    println!("cargo::rerun-if-changed={SCRIPT}");
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment alone")]
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    // The size is what tells the functions' own profile from those that unwind: cargo does not say which do.
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{SCRIPT}");
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    }
}
