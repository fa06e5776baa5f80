//! The format against bytes that another implementation made, and against everything that could be broken.

use aggregate::{Broken, Entry, Packer, Tag, Tags, looks_aggregated, seal, unpack};
use proptest::prelude::*;

/// Made by `aws_kinesis_agg` 1.2.3 (PyPI), `RecordAggregator.add_user_record` three times.
const GOLDEN: &str = "f3899ac20a0973656e736f725f30310a0973656e736f725f30321203313233122733343032383233363639323039333834363334\
    36333337343630373433313736383231313435351a11080010001a0b7b2274223a2d31382e327d1a08080110011a0200ff1a0408001a00cc21\
    144cc9efc61f747ed47dd5289f4a";

const MAX_HASH: &str = "340282366920938463463374607431768211455";

fn golden() -> Vec<u8> {
    let nibble = |digit: u8| if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 };
    GOLDEN.as_bytes().chunks(2).map(|pair| nibble(pair[0]) * 16 + nibble(pair[1])).collect()
}

fn golden_entries() -> [Entry<'static>; 3] {
    let first = Entry {
        partition_key: "sensor_01",
        explicit_hash_key: Some("123"),
        data: b"{\"t\":-18.2}",
        ..Entry::default()
    };
    let second = Entry {
        partition_key: "sensor_02",
        explicit_hash_key: Some(MAX_HASH),
        data: b"\x00\xff",
        ..Entry::default()
    };
    let third = Entry { partition_key: "sensor_01", ..Entry::default() };
    [first, second, third]
}

fn packed(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut packer = Packer::default();
    for entry in entries {
        let announced = packer.len_with(*entry);
        packer.add(*entry);
        assert_eq!(packer.len(), announced, "the announced size is the size");
    }
    let announced = packer.len();
    let blob = packer.finish();
    assert_eq!(blob.len(), announced);
    assert!(packer.is_empty());
    blob
}

#[test]
fn reads_what_python_wrote() {
    assert_eq!(unpack(&golden()).unwrap(), golden_entries());
}

#[test]
fn writes_what_python_writes() {
    assert_eq!(packed(&golden_entries()), golden());
}

#[test]
fn ordinary_records_are_not_aggregates() {
    for data in [&b""[..], b"{}", b"\xF3\x89\x9A\xC2", b"\xF3\x89\x9A\xC2 too short"] {
        assert!(!looks_aggregated(data));
        assert_eq!(unpack(data), Err(Broken::NotAggregated));
    }
}

#[test]
fn a_flipped_bit_is_noticed_wherever_it_is() {
    let good = golden();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let expected = if at < 4 { Broken::NotAggregated } else { Broken::Checksum };
        assert_eq!(unpack(&bad), Err(expected), "byte {at}");
    }
}

/// An aggregate around any message, with a right checksum.
fn sealed(message: &[u8]) -> Vec<u8> {
    use md5::{Digest, Md5};
    [&aggregate::MAGIC, message, Md5::digest(message).as_slice()].concat()
}

#[test]
fn content_that_does_not_follow_the_format_is_refused() {
    for (message, expected) in [
        (&b"\x1a\x02\x08\x00"[..], "a record points outside a key table"),
        (b"\x0a\x01k\x1a\x02\x1a\x00", "a record has no partition key"),
        (b"\x0a\x01k\x1a\x02\x08\x00", "a record has no data"),
        (b"\x0a\x01\xff", "a key is not UTF-8"),
        (b"\x0a\x01k\x1a\x07\x08\x00\x1a\x01d\x22\x00", "a tag has no key"),
        (b"\x0a\x01k\x1a\x0a\x08\x00\x1a\x01d\x22\x03\x0a\x01\xff", "a tag is not UTF-8"),
        (b"\x0a\x01k\x1a\x09\x08\x00\x1a\x01d\x22\x02\x0a\x01", "a field is torn"),
        (b"\x0a\x05k", "a field is torn"),
        (b"\x0b", "a field is torn"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a field is torn"),
    ] {
        assert_eq!(unpack(&sealed(message)), Err(Broken::Content(expected)), "{message:?}");
    }
}

#[test]
fn fields_of_later_versions_are_passed_over() {
    // Field 9 as varint, fixed 64, fixed 32 and bytes; the table behind the record.
    let message = b"\x48\x07\x49\x01\x02\x03\x04\x05\x06\x07\x08\x4d\x01\x02\x03\x04\x4a\x01x\
        \x1a\x07\x08\x00\x1a\x01d\x48\x07\x0a\x01k";
    let entry = Entry { partition_key: "k", data: b"d", ..Entry::default() };
    assert_eq!(unpack(&sealed(message)), Ok(vec![entry]));
}

#[test]
fn tags_are_read_and_written_again() {
    // A tag with a value, the data, a tag without: the order of fields is free.
    let message = b"\x0a\x01k\x1a\x12\x08\x00\x22\x06\x0a\x01a\x12\x01b\x1a\x01d\x22\x03\x0a\x01c";
    let blob = sealed(message);
    let entries = unpack(&blob).unwrap();
    let tags: Vec<Tag<'_>> = entries[0].tags.iter().collect();
    assert_eq!(tags, [Tag { key: "a", value: Some("b") }, Tag { key: "c", value: None }]);
    assert_eq!(entries[0].data, b"d");
    assert_eq!(Tags::decode(entries[0].tags.encoded()), Ok(entries[0].tags));
    assert_eq!(unpack(&packed(&entries)), Ok(entries));
}

#[test]
fn several_sealed_at_once_are_each_what_they_would_be_alone() {
    let payloads: Vec<Vec<u8>> = (0..7_u8).map(|number| vec![number; usize::from(number) * 1000]).collect();
    let packer = |data: &Vec<u8>| {
        let mut packer = Packer::default();
        packer.add(Entry { partition_key: "k", data, ..Entry::default() });
        packer
    };
    let mut blobs: Vec<Vec<u8>> = payloads.iter().map(|data| packer(data).finish_unsealed()).collect();
    assert_eq!(unpack(&blobs[0]), Err(Broken::Checksum));
    seal(&mut blobs.iter_mut().collect::<Vec<_>>());
    let alone: Vec<Vec<u8>> = payloads.iter().map(|data| packer(data).finish()).collect();
    assert_eq!(blobs, alone);
}

#[test]
fn a_record_is_added_only_where_it_fits() {
    let entry = |key| Entry { partition_key: key, data: b"0123456789", ..Entry::default() };
    let mut packer = Packer::default();
    let place = packer.add_within(entry("key_1"), 100).unwrap();
    for key in ["key_1", "key_2"] {
        let needed = packer.len_with(entry(key));
        let (mut one, mut other) = (packer.clone(), packer.clone());
        assert!(
            one.add_within(entry(key), needed).is_some()
                && other.add_within(entry(key), needed - 1).is_none()
        );
        assert_eq!((one.len(), other.len(), other.count()), (needed, packer.len(), 1));
        assert_eq!(one.finish().len(), needed);
    }
    let needed = packer.len_with(entry("key_1"));
    assert!(!packer.add_again_within(place, b"0123456789", needed - 1));
    assert!(packer.add_again_within(place, b"0123456789", needed));
    assert_eq!((packer.len(), packer.count()), (needed, 2));
}

#[test]
fn an_empty_aggregate_has_no_records() {
    assert_eq!(unpack(&packed(&[])), Ok(Vec::new()));
}

#[test]
fn a_record_with_a_known_key_is_packed_as_if_the_key_were_looked_up() {
    let (mut known, mut looked_up) = (Packer::default(), Packer::default());
    for number in 0..1000_usize {
        let (key, data) = (format!("key_{}", number % 300), vec![b'x'; number * 7 % 400]);
        let entry = Entry { partition_key: &key, data: &data, ..Entry::default() };
        let place = known.add_within(entry, usize::MAX).unwrap();
        assert!(known.add_again_within(place, &data, usize::MAX));
        looked_up.add(entry);
        looked_up.add(entry);
        assert_eq!(known.len(), looked_up.len());
    }
    assert_eq!(known.finish(), looked_up.finish());
}

type Owned = (String, Option<String>, Vec<u8>);

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(records in prop::collection::vec(any::<Owned>(), 0..40)) {
        let entries: Vec<Entry<'_>> = records
            .iter()
            .map(|(key, hash, data)| Entry {
                partition_key: key,
                explicit_hash_key: hash.as_deref(),
                data,
                ..Entry::default()
            })
            .collect();
        let blob = packed(&entries);
        prop_assert_eq!(unpack(&blob), Ok(entries));
    }

    #[test]
    fn any_content_is_refused_or_read_but_never_panics(message: Vec<u8>) {
        let _read = unpack(&sealed(&message));
    }
}
