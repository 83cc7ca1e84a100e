//! Small runbooks. Each goes to `{{ Nodes }}`, which a [`Story`](crate::Story) fills with its whole fleet.

/// One step.
pub const ONE_STEP: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
"#;

/// Two steps; the second only when the first went well.
pub const TWO_STEPS: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
  - name: second
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
"#;

/// One step for more nodes than one command takes, as many at once as two commands take; failures are tolerated.
pub const WIDE_STEP: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
      MaxConcurrency: "100"
      MaxErrors: "100%"
"#;

/// A step that tolerates failures, and one for the nodes that failed in it.
pub const RETRY_FAILED: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: first
    action: aws:runCommand
    onFailure: Continue
    isCritical: false
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
      MaxErrors: "100%"
  - name: second
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ first.FailedInstanceIds }}"
      Parameters: { commands: ["uptime"] }
      MaxErrors: "100%"
"#;
