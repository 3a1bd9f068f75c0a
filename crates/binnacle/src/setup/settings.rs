//! binnacle.yml: what only Binnacle knows. See docs/formats/binnacle-yml.md.

use config::{Fields, Problems, decode, yaml};

/// The settings; every field may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Whether targets that name a part which Binnacle contains are answered from inside.
    pub(crate) stand_ins: bool,
    /// Whether the built-in alert pack runs although files were given.
    pub(crate) default_pack: bool,
    /// Names under which the page may be opened besides addresses and `localhost`.
    pub(crate) host_names: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stand_ins: true,
            default_pack: false,
            host_names: Vec::new(),
        }
    }
}

/// Reads the text of a file.
pub(crate) fn parse(text: &str, file: &str) -> Result<Settings, Problems> {
    let mut problems = Problems::new(file);
    let settings = yaml::parse_single(text, &mut problems).and_then(|root| {
        let mut fields = Fields::of(&root, "binnacle.yml", &mut problems)?;
        let default = Settings::default();
        let settings = Settings {
            stand_ins: fields
                .read("stand_ins", decode::boolean)
                .unwrap_or(default.stand_ins),
            default_pack: fields
                .read("default_pack", decode::boolean)
                .unwrap_or(default.default_pack),
            host_names: fields
                .read("host_names", decode::strings)
                .unwrap_or_default(),
        };
        fields.finish();
        Some(settings)
    });
    problems.into_result(settings)
}
