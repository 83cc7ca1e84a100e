//! What reading results costs: requests, and the items they ask for.

use super::*;

/// One step by tag that tolerates every failure.
const BY_TAG: &str = r#"
schemaVersion: "0.3"
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      Targets: [{ Key: "tag:Role", Values: [web] }]
      Parameters: { commands: ["uptime"] }
      MaxErrors: "100%"
"#;

/// DynamoDB requests of one read, and the items that they asked for.
fn cost(run: &mut Run, path: &str) -> (usize, usize) {
    let asked: Arc<Mutex<Vec<usize>>> = Arc::default();
    let kept = Arc::clone(&asked);
    run.from_now(any_call().each().by("api-read").when(move |call| {
        assert_eq!(call.service, Service::DynamoDb, "{call:?}");
        let keys = match call.operation {
            "GetItem" => 1,
            "BatchGetItem" => call.body["RequestItems"][TABLE]["Keys"].as_array().expect("keys").len(),
            other => panic!("{other} reads more than is asked for"),
        };
        kept.lock().expect("one thread").push(keys);
        false
    }));
    let answer = run.fetch(path, "");
    assert_eq!(answer["statusCode"], 200, "{answer}");
    run.calm();
    let asked = asked.lock().expect("one thread");
    assert!(!asked.is_empty(), "nothing was read");
    (asked.len(), asked.iter().sum())
}

fn tagged(nodes: usize, seconds: i64) -> Fleet {
    let mut fleet = steady_fleet(nodes, seconds);
    for node in fleet.nodes_mut() {
        node.tags = Arc::new([("Role".to_owned(), "web".to_owned())].into());
    }
    fleet
}

#[test]
fn a_summary_of_many_commands_is_read_in_three_requests_while_it_runs_and_without_them_afterwards() {
    let mut run = Story::new().fleet(steady_fleet(1_800, 40)).runbook(runbooks::WIDE_STEP).start();
    let path = format!("/executions/{}/summary", run.id);
    run.until(|cloud| cloud.ssm.ledger().commands().len() >= 30);
    let (requests, items) = cost(&mut run, &path);
    assert!(requests <= 3 && items <= 80, "{requests} requests, {items} items while it runs");
    run.end();
    let (requests, items) = cost(&mut run, &path);
    assert!(requests <= 3 && items <= 20, "{requests} requests, {items} items");
    let summary: Summary = of(&mut run, "/summary");
    assert_eq!(summary.steps[0].counts.success, 1_800);
}

#[test]
fn three_thousand_nodes_are_read_by_chunks_and_parts() {
    let mut run = Story::new().fleet(tagged(3_000, 60)).runbook(BY_TAG).start();
    run.until(|cloud| cloud.ssm.ledger().runs().len() > 200);
    run.pass(SignedDuration::from_secs(90));
    let path = format!("/executions/{}/summary", run.id);
    let (requests, items) = cost(&mut run, &path);
    assert!(requests <= 3 && items <= 80, "{requests} requests, {items} items while it runs");
    let so_far: Summary = of(&mut run, "/summary");
    assert!((1..3_000).contains(&so_far.steps[0].counts.success), "{:?}", so_far.steps[0].counts);
    let of_command = format!("/commands/{}/summary", run.commands()[0].command_id);
    let (requests, items) = cost(&mut run, &of_command);
    assert!(requests <= 5 && items <= 80, "{requests} requests, {items} items while it runs");

    run.end();
    run.pass(SignedDuration::from_mins(2));
    let (requests, items) = cost(&mut run, &path);
    assert!(requests <= 3 && items <= 20, "{requests} requests, {items} items once it is over");
    let summary: Summary = of(&mut run, "/summary");
    assert_eq!((summary.steps[0].targets, summary.steps[0].counts.success), (Some(3_000), 3_000));
    let (requests, items) = cost(&mut run, &of_command);
    assert!(requests <= 5 && items <= 20, "{requests} requests, {items} items once settled");
    let summary: CommandSummary = read(&run.fetch(&of_command, ""));
    assert_eq!((summary.counts.success, summary.targets), (3_000, Some(3_000)));
    assert_eq!(paged(&mut run, "limit=1000").len(), 3_000);
    let nodes = format!("/executions/{}/nodes", run.id);
    let (requests, items) = cost(&mut run, &nodes);
    assert!(requests <= 4 && items <= 20, "{requests} requests, {items} items for a page of nodes");
}

#[test]
fn a_page_of_executions_is_read_together() {
    let mut run = Story::new().play();
    let body = serde_json::json!({ "DocumentName": "Story", "Parameters": { "Nodes": run.nodes() } });
    for _ in 0..10 {
        run.deployment.call("StartAutomationExecution", &body).expect("started");
    }
    run.pass(SignedDuration::from_secs(5));
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&requests);
    run.from_now(any_call().each().by("api-read").when(move |call| {
        kept.lock().expect("one thread").push(call.operation.to_owned());
        false
    }));
    // Of this month alone: each month is a partition of the index.
    let after = run.now() - SignedDuration::from_mins(30);
    let page: ExecutionList = read(&run.fetch(&format!("/executions?after={after}"), ""));
    assert_eq!(page.executions.len(), 11);
    let requests = requests.lock().expect("one thread");
    let batches = requests.iter().filter(|operation| *operation == "BatchGetItem").count();
    assert!(batches <= 2 && requests.len() <= 4, "{requests:?}");
}
