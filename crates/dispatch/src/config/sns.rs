//! `sns_configs`: a message for Amazon's Simple Notification Service.

use super::entry::{Entry, Texts};
use super::receiver::Settings;
use config::yaml::Node;
use config::{Fields, HttpClientConfig, Problems, Secret, decode};

/// A topic, a device or a phone.
#[derive(Clone, Debug)]
pub struct Sns {
    /// All templates that stand alone.
    pub(crate) texts: Texts,
    /// Attributes of the message; names and values are templates.
    pub(crate) attributes: Vec<(String, String)>,
    /// Who signs.
    pub(crate) signer: AwsSigner,
    /// How to reach it.
    pub(crate) http: HttpClientConfig,
}

/// Whose keys sign requests to Amazon.
#[derive(Clone, Debug, Default)]
pub struct AwsSigner {
    /// The region; by the environment where it is empty.
    pub(crate) region: String,
    /// By the environment or the shared file where it is empty.
    pub(crate) access_key: String,
    /// What belongs to it.
    pub(crate) secret_key: Secret,
    /// The profile of the shared file.
    pub(crate) profile: String,
    /// The role to take on, empty for none.
    pub(crate) role_arn: String,
    /// What the role asks for.
    pub(crate) external_id: String,
}

const TEXTS: [(&str, &str); 6] = [
    ("api_url", ""),
    ("topic_arn", ""),
    ("phone_number", ""),
    ("target_arn", ""),
    ("subject", r#"{{ template "sns.default.subject" . }}"#),
    ("message", r#"{{ template "sns.default.message" . }}"#),
];

pub(super) fn read(entry: &mut Entry<'_, '_, '_>) -> Option<Settings> {
    // One of the three, or, as upstream's chain of inequalities has it, all of them.
    let given = ["target_arn", "topic_arn", "phone_number"]
        .iter()
        .filter(|name| entry.has(name))
        .count();
    entry.wrong_if(
        given % 2 == 0,
        "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config",
    );
    let signer = entry.fields.read("sigv4", signer).unwrap_or_default();
    entry.wrong_if(
        signer.access_key.is_empty() != signer.secret_key.is_empty(),
        "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config",
    );
    // Our client is one and the same either way.
    entry.flag("use_aws_http_client");
    Some(Settings::Sns(Box::new(Sns {
        texts: entry.texts(&TEXTS),
        attributes: entry
            .fields
            .read("attributes", decode::string_map)
            .unwrap_or_default(),
        signer,
        http: entry.http(),
    })))
}

fn signer(node: &Node, problems: &mut Problems) -> Option<AwsSigner> {
    let mut fields = Fields::of(node, "config.plain", problems)?;
    let secret_key = fields.read("secret_key", decode::secret);
    fields.read("use_fips_sts_endpoint", decode::boolean);
    let mut text = |name| fields.read(name, decode::string).unwrap_or_default();
    // The service is known.
    text("service_name");
    let signer = AwsSigner {
        region: text("region"),
        access_key: text("access_key"),
        profile: text("profile"),
        role_arn: text("role_arn"),
        external_id: text("external_id"),
        secret_key: secret_key.unwrap_or_default(),
    };
    fields.finish();
    Some(signer)
}
