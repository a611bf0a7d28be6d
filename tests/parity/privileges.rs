//! Giving up rights, hiding from others, filters of its own, calls of another architecture.

use e2e::parity;
use e2e::parity::case;

parity! {
    root_is_dropped: case("drop_privileges").root();
    non_dumpable: case("non_dumpable");
    non_dumpable_without_root: case("non_dumpable").user(65534);
    as_nobody: case("relations").user(65534);
    zombies_as_nobody: case("zombies").user(65534);
    int_0x80: case("int80");
    x32_and_unknown_numbers: case("x32");
    filters_of_its_own: case("own_filter");
    arguments_that_nothing_can_be_made_of: case("hostile_arguments");
    namespaces_and_roots_of_its_own: case("namespaces").root();
}
