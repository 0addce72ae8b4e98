//! Clients.

use countersign_domain::client::ClientKind;
use countersign_storage::clients;
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{a_user, at, client, p1, read, schema, write};

on_both_engines!(
    a_client_reads_back_as_it_was_written,
    client_ids_are_a_projects_own,
    a_client_can_be_changed,
    revoking_raises_one_clients_counter,
);

async fn a_client_reads_back_as_it_was_written(engine: Engine) {
    let given = schema(engine).await;
    for (id, kind) in
        [("a", ClientKind::Ios), ("b", ClientKind::Android), ("c", ClientKind::Web), ("d", ClientKind::Backend)]
    {
        let mut written = client("p1", id);
        written.kind = kind;
        written.overrides = [("access.lifetime".to_owned(), "5m".to_owned())].into();
        write!(given, [written], clients::insert, &written).unwrap();
        let found = read!(given, clients::find, &p1(), &written.id).unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{written:?}"));
    }
    let all = read!(given, clients::list, &p1()).unwrap();
    assert_eq!(all.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}

async fn client_ids_are_a_projects_own(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let mut foreign = client("p2", "c1");
    foreign.kind = ClientKind::Web;
    write!(given, [foreign], clients::insert, &foreign).unwrap();
    let own = read!(given, clients::find, &p1(), &foreign.id).unwrap().unwrap();
    assert_eq!(own.kind, ClientKind::Ios);
    assert_eq!(read!(given, clients::list, &p1()).unwrap().len(), 1);
}

async fn a_client_can_be_changed(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let mut changed = client("p1", "c1");
    changed.name = "Renamed".parse().unwrap();
    changed.overrides = [("refresh.overlap".to_owned(), "2s".to_owned())].into();
    changed.updated_at = at(7);
    changed.disabled_at = Some(at(7));
    write!(given, [changed], clients::update, &changed).unwrap();
    let found = read!(given, clients::find, &p1(), &changed.id).unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{changed:?}"));
    assert_eq!(found.name.as_str(), "Renamed");
}

async fn revoking_raises_one_clients_counter(engine: Engine) {
    let (given, _) = a_user(engine).await;
    let other = client("p1", "c2");
    write!(given, [other], clients::insert, &other).unwrap();
    write!(given, [other], clients::raise_generation, &p1(), &other.id, at(3)).unwrap();
    let generations: Vec<u32> =
        read!(given, clients::list, &p1()).unwrap().iter().map(|found| found.generation).collect();
    assert_eq!(generations, [0, 1]);
}
