//! What a call costs the sandbox, beside its own constant page: the same server, client and connections, one after the
//! other in turn. `benches/README.md` explains the rows.

mod client;

use std::time::{Duration, Instant};

use client::{Connection, page, signed};
use kmslab::sandbox::{Config, Sandbox};
use serde_json::{Value, json};

/// How long each request is sent, in each of the rounds.
const ROUND: Duration = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 500 });
const ROUNDS: usize = 5;
const TABLE: &str = "bench";

fn main() {
    let sandbox = Sandbox::start(Config::default()).expect("a sandbox");
    let ciphertext = set_up(&sandbox);
    let ddb =
        |operation: &str, body: Value| signed(&sandbox, "dynamodb", &format!("DynamoDB_20120810.{operation}"), &body);
    let rows = [
        ("GetItem", ddb("GetItem", json!({ "TableName": TABLE, "Key": { "id": { "S": "p-001" } } })), 0.45),
        ("PutItem", ddb("PutItem", json!({ "TableName": TABLE, "Item": item("p-999") })), 0.35),
        (
            "Query",
            ddb(
                "Query",
                json!({ "TableName": TABLE, "KeyConditionExpression": "id = :id",
                "ExpressionAttributeValues": { ":id": { "S": "p-001" } } }),
            ),
            0.0,
        ),
        ("Scan of 100 items", ddb("Scan", json!({ "TableName": TABLE })), 0.08),
        ("KMS Decrypt", signed(&sandbox, "kms", "TrentService.Decrypt", &json!({ "CiphertextBlob": ciphertext })), 0.0),
    ];
    // `cargo bench --bench sandbox -- GetItem` measures only that.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let constant = page(&sandbox);
    println!("{:<20} {:>12} {:>10} {:>10} {:>7} {:>9}  aim", "", "connections", "per second", "page", "ratio", "p99");
    for connections in [1, 16] {
        for (name, request, aim) in rows.iter().filter(|(name, ..)| is_wanted(name)) {
            let (mut ours, mut pages, mut slow) = (0.0, 0.0, Duration::ZERO);
            for _ in 0..ROUNDS {
                pages += rate(&sandbox, &constant, connections).0;
                let (rate, p99) = rate(&sandbox, request, connections);
                ours += rate;
                slow = slow.max(p99);
            }
            let aim = if connections == 16 && *aim > 0.0 { format!("{aim:.2}") } else { String::new() };
            println!(
                "{name:<20} {connections:>12} {:>10.0} {:>10.0} {:>7.3} {:>6.2} ms  {aim}",
                ours / ROUNDS as f64,
                pages / ROUNDS as f64,
                ours / pages,
                slow.as_secs_f64() * 1e3
            );
        }
    }
}

/// Makes a table of 100 items under a key of its own. Returns what the key has encrypted.
fn set_up(sandbox: &Sandbox) -> Value {
    let mut connection = Connection::new(sandbox);
    let mut call = |service: &str, target: &str, body: Value| {
        let response = connection.send(&signed(sandbox, service, target, &body));
        serde_json::from_slice::<Value>(response).expect("JSON")
    };
    let created = call("kms", "TrentService.CreateKey", json!({}));
    let key = created["KeyMetadata"]["KeyId"].clone();
    let table = json!({
        "TableName": TABLE,
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": { "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key },
    });
    call("dynamodb", "DynamoDB_20120810.CreateTable", table);
    let state = |described: Value| described["Table"]["TableStatus"].clone();
    while state(call("dynamodb", "DynamoDB_20120810.DescribeTable", json!({ "TableName": TABLE }))) != "ACTIVE" {
        std::thread::sleep(Duration::from_millis(10));
    }
    for number in 0..100 {
        let put = json!({ "TableName": TABLE, "Item": item(&format!("p-{number:03}")) });
        call("dynamodb", "DynamoDB_20120810.PutItem", put);
    }
    call("kms", "TrentService.Encrypt", json!({ "KeyId": key, "Plaintext": "aGVsbG8=" }))["CiphertextBlob"].clone()
}

fn item(id: &str) -> Value {
    json!({ "id": { "S": id }, "name": { "S": "Ada Kowalska" }, "visits": { "N": "3" } })
}

/// How many responses a second come over this many connections together, and the time that 99 of 100 stay below.
fn rate(sandbox: &Sandbox, request: &[u8], connections: usize) -> (f64, Duration) {
    let start = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let client = || {
            let mut connection = Connection::new(sandbox);
            let mut times = Vec::new();
            while start.elapsed() < ROUND {
                let begun = Instant::now();
                connection.send(request);
                times.push(begun.elapsed());
            }
            times
        };
        let clients: Vec<_> = (0..connections).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
    });
    let took = start.elapsed();
    times.sort();
    (times.len() as f64 / took.as_secs_f64(), times[times.len() * 99 / 100])
}
