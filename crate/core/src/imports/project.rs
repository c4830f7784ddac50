//! Projects that bring a module of another name.

/// Modules whose projects on the Python Package Index are called otherwise. Sorted.
const PROJECTS: [(&str, &str); 27] = [
    ("Crypto", "pycryptodome"),
    ("OpenSSL", "pyopenssl"),
    ("PIL", "pillow"),
    ("attr", "attrs"),
    ("bs4", "beautifulsoup4"),
    ("cv2", "opencv-python"),
    ("dateutil", "python-dateutil"),
    ("docx", "python-docx"),
    ("dotenv", "python-dotenv"),
    ("fitz", "pymupdf"),
    ("git", "gitpython"),
    ("jose", "python-jose"),
    ("jwt", "pyjwt"),
    ("magic", "python-magic"),
    ("markdown_it", "markdown-it-py"),
    ("nacl", "pynacl"),
    ("pkg_resources", "setuptools"),
    ("pptx", "python-pptx"),
    ("psycopg2", "psycopg2-binary"),
    ("ruamel", "ruamel-yaml"),
    ("serial", "pyserial"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("slugify", "python-slugify"),
    ("usb", "pyusb"),
    ("yaml", "pyyaml"),
    ("zmq", "pyzmq"),
];

/// The project to ask an index for that may bring a module at top level: one of the same name, but for a few that are well
/// known.
pub fn project_of(module: &str) -> &str {
    let known = PROJECTS.binary_search_by_key(&module, |(name, _)| name);
    known.map_or(module, |index| PROJECTS[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_modules_lead_to_projects_of_another_name() {
        assert!(PROJECTS.is_sorted());
        for (module, project) in PROJECTS {
            assert_eq!(project_of(module), project);
            assert_eq!(project.parse::<crate::name::PackageName>().unwrap().as_str(), project);
        }
        assert_eq!(project_of("cowsay"), "cowsay");
        assert_eq!(project_of("pil"), "pil");
    }
}
