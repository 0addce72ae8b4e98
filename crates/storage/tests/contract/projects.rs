//! Projects.

use countersign_domain::{id::ProjectId, policy::Overrides};
use countersign_storage::{error::Error, projects};
use countersign_testkit::{database::Engine, on_both_engines};

use crate::given::{at, p1, project, read, schema, write};

on_both_engines!(
    a_project_reads_back_as_it_was_written,
    projects_are_listed_by_their_ids_bytes,
    a_project_can_be_changed_in_all_but_its_id,
    revoking_raises_one_projects_counter,
    an_id_is_taken_once,
);

async fn a_project_reads_back_as_it_was_written(engine: Engine) {
    let given = schema(engine).await;
    let written = project("p1");
    write!(given, [written], projects::insert, &written).unwrap();
    let found = read!(given, projects::find, &p1()).unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{written:?}"));
    assert_eq!(found.name.as_str(), written.name.as_str());
    let nobody: ProjectId = "p2".parse().unwrap();
    assert!(read!(given, projects::find, &nobody).unwrap().is_none());
}

async fn projects_are_listed_by_their_ids_bytes(engine: Engine) {
    let given = schema(engine).await;
    for id in ["b", "a-1", "a1", "a", "a_1"] {
        let written = project(id);
        write!(given, [written], projects::insert, &written).unwrap();
    }
    let ids: Vec<String> = read!(given, projects::list).unwrap().iter().map(|found| found.id.to_string()).collect();
    assert_eq!(ids, ["a", "a-1", "a1", "a_1", "b"]);
}

async fn a_project_can_be_changed_in_all_but_its_id(engine: Engine) {
    let given = schema(engine).await;
    let mut written = project("p1");
    write!(given, [written], projects::insert, &written).unwrap();
    written.name = "Another".parse().unwrap();
    written.overrides = Overrides::new();
    written.updated_at = at(9);
    written.disabled_at = Some(at(9));
    write!(given, [written], projects::update, &written).unwrap();
    let found = read!(given, projects::find, &p1()).unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{written:?}"));
}

async fn revoking_raises_one_projects_counter(engine: Engine) {
    let given = schema(engine).await;
    for id in ["p1", "p2"] {
        let written = project(id);
        write!(given, [written], projects::insert, &written).unwrap();
    }
    write!(given, [], projects::raise_generation, &p1(), at(5)).unwrap();
    let all = read!(given, projects::list).unwrap();
    assert_eq!((all[0].generation, all[0].updated_at), (4, at(5)));
    assert_eq!((all[1].generation, all[1].updated_at), (3, at(1)));
}

async fn an_id_is_taken_once(engine: Engine) {
    let given = schema(engine).await;
    let written = project("p1");
    write!(given, [written], projects::insert, &written).unwrap();
    let again = write!(given, [written], projects::insert, &written);
    assert!(matches!(again, Err(Error::Taken(_))), "{again:?}");
}
