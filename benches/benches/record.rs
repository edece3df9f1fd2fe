//! The whole way of one record, against a plain decode of the same bytes with the same JSON reader.
//!
//! Batches are rolled back, which is part of the time; `ratios` measures the steady state without.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use drawdown_benches::{GraphRow, Records, catalogue, engine, partition, whole_way};
use drawdown_engine::Outputs;
use drawdown_ledger::Rules;
use drawdown_wire::native;
use drawdown_wire::source::Context;

const BATCH: usize = 10_000;

fn records(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(BATCH as u64));
    let (catalogue, rules) = (catalogue(36_000), Rules::default());
    let engine = engine(&catalogue, &rules);
    for orgs in [1_000, 100_000] {
        let batch: Vec<Vec<u8>> = Records::new(orgs).take(BATCH).collect();
        group.bench_function(format!("plain-decode/{orgs}"), |bencher| {
            bencher.iter(|| {
                for bytes in &batch {
                    black_box(sonic_rs::from_slice::<GraphRow<'_>>(bytes).expect("a row"));
                }
            });
        });
        group.bench_function(format!("native-decode/{orgs}"), |bencher| {
            bencher.iter(|| {
                for bytes in &batch {
                    black_box(native::decode(bytes, &Context::default()).expect("a row"));
                }
            });
        });
        let mut partition = partition(&engine, orgs);
        let mut outputs = Outputs::default();
        group.bench_function(format!("whole-way/{orgs}"), |bencher| {
            bencher.iter(|| {
                outputs.debits.clear();
                outputs.events.clear();
                whole_way(&mut partition, &engine, &batch, &mut outputs);
                partition.roll_back();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, records);
criterion_main!(benches);
