//! What a patch costs: 1 MB within its budget, linear up to 20 MB, and the cold start of the
//! macro. Everything is measured in one run; ratios count, times are of this machine's processor.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program prints, and stops at what it does not expect"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use patcher::image::Images;
use patcher::options::Options;
use patcher::patch::patch;
use patcher::unpatch::{How, unpatch};

/// Milliseconds that 1 MB may take.
const BUDGET: f64 = 150.0;

/// A task definition in twenty other resources, as stacks are.
fn yaml(bytes: usize) -> String {
    let mut text = String::from("# A large stack.\nResources:\n");
    for at in 0.. {
        if text.len() >= bytes {
            break;
        }
        write!(
            text,
            "  Task{at}:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      Memory: 512\n      ContainerDefinitions:\n        - Name: web # serves\n          Image: nginx\n          EntryPoint: [/entry]\n          Command: [serve, !Ref Port]\n          Environment:\n            - Name: A\n              Value: !Sub \"${{AWS::Region}}\"\n"
        )
        .unwrap();
        for other in 0..20 {
            write!(
                text,
                "  Bucket{at}x{other}:\n    Type: AWS::S3::Bucket\n    Properties:\n      Tags:\n        - {{Key: owner, Value: team}} # who\n        - Key: stage\n          Value: \"production\"\n"
            )
            .unwrap();
        }
    }
    text
}

/// The same in JSON.
fn json(bytes: usize) -> String {
    let mut text = String::from("{\n  \"Resources\": {\n");
    for at in 0.. {
        if text.len() >= bytes {
            break;
        }
        write!(
            text,
            "    \"Task{at}\": {{\n      \"Type\": \"AWS::ECS::TaskDefinition\",\n      \"Properties\": {{\n        \"Memory\": 512,\n        \"ContainerDefinitions\": [\n          {{\n            \"Name\": \"web\",\n            \"Image\": \"nginx\",\n            \"EntryPoint\": [\"/entry\"],\n            \"Command\": [\"serve\", {{\"Ref\": \"Port\"}}]\n          }}\n        ]\n      }}\n    }},\n"
        )
        .unwrap();
        for other in 0..20 {
            write!(
                text,
                "    \"Bucket{at}x{other}\": {{\n      \"Type\": \"AWS::S3::Bucket\",\n      \"Properties\": {{\n        \"Tags\": [{{\"Key\": \"owner\", \"Value\": \"team\"}}]\n      }}\n    }},\n"
            )
            .unwrap();
        }
    }
    text.push_str("    \"Last\": {\"Type\": \"AWS::SNS::Topic\"}\n  }\n}\n");
    text
}

/// The least that some runs took.
fn least(runs: usize, clock: fn() -> Duration, mut run: impl FnMut()) -> Duration {
    (0..runs)
        .map(|_| {
            let start = clock();
            run();
            clock().saturating_sub(start)
        })
        .min()
        .unwrap()
}

/// Time that this thread was on a processor: what others do on the machine is not in it.
fn processor() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn measure(notation: &str, make: fn(usize) -> String) {
    let options = Options::new("agent");
    let again = Options::new("newer");
    let images = Images::default();
    let change = |text: &str, options| patch(text, options, &images).unwrap().text.unwrap();
    let mut first = None;
    for (megabytes, runs) in [(1, 5), (5, 2), (20, 1)] {
        let text = make(megabytes << 20);
        let mut patched = String::new();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let time = milliseconds(least(runs, processor, || patched = change(&text, &options)));
        let update = milliseconds(least(runs, processor, || drop(change(&patched, &again))));
        let back = milliseconds(least(runs, processor, || {
            let back = unpatch(&patched, &options.sidecar.name).unwrap().text;
            assert_eq!(back.unwrap().1, How::Exact);
        }));
        // Edited since, so that containers are taken apart one by one.
        patched.push('\n');
        let shape = milliseconds(least(runs, processor, || {
            let back = unpatch(&patched, &options.sidecar.name).unwrap().text;
            assert_eq!(back.unwrap().1, How::Shape);
        }));
        let per_megabyte = time / f64::from(u32::try_from(megabytes).unwrap());
        let first = *first.get_or_insert(per_megabyte);
        let verdict = match megabytes {
            1 if time <= BUDGET => "within budget",
            1 => "OVER BUDGET (150 ms)",
            _ => "",
        };
        println!(
            "{notation} {megabytes:>2} MB {time:>8.1} ms  {per_megabyte:>6.1} ms/MB  {:>4.2} x the first  update {update:>7.1} ms  unpatch {back:>7.1} ms, edited {shape:>7.1} ms  {verdict}",
            per_megabyte / first
        );
    }
}

/// From the start of the process to its first request for work.
fn cold_start() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let time = least(5, wall, || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_patcher"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "macro")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut first = [0; 3];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"GET");
        drop(child.kill());
        drop(child.wait());
    });
    println!(
        "macro, start to first request {:>8.1} ms",
        time.as_secs_f64() * 1e3
    );
}

fn main() {
    measure("yaml", yaml);
    measure("json", json);
    measure("line", |bytes| json(bytes).replace('\n', ""));
    cold_start();
}
