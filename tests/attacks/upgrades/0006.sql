BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE audit_events (
        id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor_user_id TEXT,
        actor_credential_id TEXT,
        actor_via TEXT NOT NULL,
        actor_request_id TEXT,
        actor_address TEXT,
        details TEXT NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id)
    );
INSERT INTO "audit_events" VALUES('evt_03GANXBiOJ0tPv75qlMBpU',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','tenant.founded','tenant','ten_03GANXBiKQWHqVS1eGUeB2',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNa0VFngE73q9Gf',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiLbXbpveEXtzYYG','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000000','127.0.0.1','{"display":"bf_key_03GA\u2026eRJt","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNCPcB5MwaQxWpm',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiNieroKmXc637hA','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000001','127.0.0.1','{"display":"bf_key_03GA\u2026VoWQ","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNzZoZNZGhrxZgd',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiMMA6N7AwNtl2Cw','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000002','127.0.0.1','{"display":"bf_key_03GA\u2026dNXv","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNP4q4mY4vZsnbV',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiJki6bRRk6U3pMF','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000003','127.0.0.1','{"display":"bf_key_03GA\u2026cm2C","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJth6CJsIlBAi2g',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiKZIlDWXbx8Xssr','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000004','127.0.0.1','{"display":"bf_key_03GA\u20261PNT","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLBOQU7vPTz5D10',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiKz3IvEGjjvOrUv','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000005','127.0.0.1','{"display":"bf_key_03GA\u2026oNix","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNUuXiwnPHE9lai',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiKLvX2PY0tCJq5o','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000006','127.0.0.1','{"display":"bf_key_03GA\u2026hA6M","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIvgD1bnx1HLcCJ',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiKzZAgIHyDcBf3o','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000007','127.0.0.1','{"display":"bf_key_03GA\u2026ROSj","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMIW6wtm7EAfxVN',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiJPUnbVFB7WEuz3','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000008','127.0.0.1','{"display":"bf_key_03GA\u2026H81R","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKdfbfZMeerfwwi',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiM0x9T9BUw5j6Zv','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q00000009','127.0.0.1','{"display":"bf_key_03GA\u2026uU7A","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiLjGxI0mVI48B6w"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKuqIM430T27uvH',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.disabled','api_key','key_03GANXBiKLvX2PY0tCJq5o','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOLr45cjucApZm8',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.revoked','api_key','key_03GANXBiKzZAgIHyDcBf3o','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKtAeGGYDPpFYwL',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.rotated','api_key','key_03GANXBiJPUnbVFB7WEuz3','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q0000000C','127.0.0.1','{"display":"bf_key_03GA\u2026N4mQ","overlap_seconds":60,"successor_id":"key_03GANXBiLO20q6YmoUJm5A"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiN1xMCwGQyCGtlP',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.rotated','api_key','key_03GANXBiM0x9T9BUw5j6Zv','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q0000000D','127.0.0.1','{"display":"bf_key_03GA\u2026LYvY","overlap_seconds":3600,"successor_id":"key_03GANXBiInB3Jzd0Fang5k"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLEW8wZaUUaO01u',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.revoked','api_key','key_03GANXBiM0x9T9BUw5j6Zv','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNQ7THhr9qqjlur',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','user.created','user','usr_03GANXBiMPuNoA8WhOyD3T','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNyrjvMOAbMHDxE',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','api_key.created','api_key','key_03GANXBiLavZgf7uoN1JFo','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q0000000G','127.0.0.1','{"display":"bf_key_03GA\u2026pZOv","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMPuNoA8WhOyD3T"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMAcN69PlzZMxuN',1900000000000000,'ten_03GANXBiKQWHqVS1eGUeB2','user.changed','user','usr_03GANXBiMPuNoA8WhOyD3T','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','api','req_1rkIExfZKtzb3q0000000H','127.0.0.1','{"status":"disabled"}');
CREATE TABLE "changes" (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN ('credential_created', 'credential', 'user', 'tenant', 'plan', 'signing_key'))
    );
INSERT INTO "changes" VALUES(1,0,'plan','free',1900000000000000);
INSERT INTO "changes" VALUES(2,0,'plan','pro',1900000000000000);
INSERT INTO "changes" VALUES(3,0,'plan','enterprise',1900000000000000);
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiKQWHqVS1eGUeB2',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiLxZ9Ogec66z07c',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiLbXbpveEXtzYYG',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiNieroKmXc637hA',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiMMA6N7AwNtl2Cw',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiJki6bRRk6U3pMF',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiKZIlDWXbx8Xssr',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiKz3IvEGjjvOrUv',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiKLvX2PY0tCJq5o',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiKzZAgIHyDcBf3o',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiJPUnbVFB7WEuz3',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiM0x9T9BUw5j6Zv',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiKLvX2PY0tCJq5o',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiKzZAgIHyDcBf3o',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiJPUnbVFB7WEuz3',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiLO20q6YmoUJm5A',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiM0x9T9BUw5j6Zv',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiInB3Jzd0Fang5k',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiM0x9T9BUw5j6Zv',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiInB3Jzd0Fang5k',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiMPuNoA8WhOyD3T',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiLavZgf7uoN1JFo',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiMPuNoA8WhOyD3T',1900000000000000);
CREATE TABLE credentials (
        id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        plan TEXT,
        status VARCHAR(32) NOT NULL,
        expires_at BIGINT,
        overlap_ends_at BIGINT,
        parent_id TEXT,
        root_id TEXT NOT NULL,
        allowed_ips TEXT NOT NULL,
        metadata TEXT NOT NULL,
        display TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        last_used_at BIGINT,
        revoked_at BIGINT,
        revocation_reason TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_credentials_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
        CONSTRAINT fk_credentials_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES credentials (tenant_id, id),
        CONSTRAINT uq_credentials_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT ck_credentials_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_credentials_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_credentials_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_credentials_metadata_length CHECK (length(metadata) <= 131072),
        CONSTRAINT ck_credentials_lineage CHECK ((parent_id IS NULL) = (root_id = id)),
        CONSTRAINT ck_credentials_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
        CONSTRAINT ck_credentials_revocation_reason CHECK (revocation_reason IS NULL OR status = 'revoked'),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('api_key', 'bearer_token', 'personal_access_token', 'oauth_access_token', 'jwt_session')),
        CONSTRAINT fk_credentials_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL,
        CONSTRAINT ck_credentials_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT uq_credentials_digest UNIQUE (digest)
    );
INSERT INTO "credentials" VALUES('key_03GANXBiLxZ9Ogec66z07c','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiLxZ9Ogec66z07c','','{}','bf_key_03GA…nH6d','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'EFBCEB408E60720AA9C198B4557801398A946A6DEF9D302E0BD19D0CDA8FFB66','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiLbXbpveEXtzYYG','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLbXbpveEXtzYYG','','{}','bf_key_03GA…eRJt','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'0710D4E2A25E6621F152D15C45EBA4911D349BD7049663B768FF992486B1AA80','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiNieroKmXc637hA','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiNieroKmXc637hA','','{}','bf_key_03GA…VoWQ','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'80F19C65D9BEB76A49E8199102152DD52514737776E678533BFB6E4CD7D0C421','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiMMA6N7AwNtl2Cw','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiMMA6N7AwNtl2Cw','192.0.2.0/24','{}','bf_key_03GA…dNXv','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'EE8BC36B21422B2A970065211D9EB296398AC49450BB5590ADBDBD1BD6C2551E','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJki6bRRk6U3pMF','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJki6bRRk6U3pMF','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…cm2C','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'272B80FED5BE7A0263DEE1493FFA98E527591F2293F6E4689EF55C3A141B26B8','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKZIlDWXbx8Xssr','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiKZIlDWXbx8Xssr','','{}','bf_key_03GA…1PNT','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'74ADDBBB4FF41990D1224C0BE3D9B427EAF7F997F98DCF110AC4AF95B49F5AFC','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKz3IvEGjjvOrUv','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiKz3IvEGjjvOrUv','','{}','bf_key_03GA…oNix','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'33EC888E2A1FB343A7E87D846CED329A7099B19E8755148A5FD306291C6E9CB8','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKLvX2PY0tCJq5o','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiKLvX2PY0tCJq5o','','{}','bf_key_03GA…hA6M','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'A45D0E453C3172289DC5F4AAD8637DEA81A2AD36BFD920E925DC48EA102293DC','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiKzZAgIHyDcBf3o','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiKzZAgIHyDcBf3o','','{}','bf_key_03GA…ROSj','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'4B8DCC451F005301340DC0AFF307EE03848873CFC7AF05B54B2F2F16EEB756A6','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiJPUnbVFB7WEuz3','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiJPUnbVFB7WEuz3','','{}','bf_key_03GA…H81R','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'BA248F642571AF538512A5B6C48E6F402C461AFA787B3C7AC4B6A9F89C131812','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiM0x9T9BUw5j6Zv','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiM0x9T9BUw5j6Zv','','{}','bf_key_03GA…uU7A','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'A3B5F594EC29648AF8D80A3C21E09BACA1DB0D89CBD9493C8868876FD31D055F','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiLO20q6YmoUJm5A','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiJPUnbVFB7WEuz3','key_03GANXBiJPUnbVFB7WEuz3','','{}','bf_key_03GA…N4mQ','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'13724BBBF663308FF2291E244CBC90EA917626F95F783888C2C0C86EF9E6B2C2','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiInB3Jzd0Fang5k','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiM0x9T9BUw5j6Zv','key_03GANXBiM0x9T9BUw5j6Zv','','{}','bf_key_03GA…LYvY','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'27557742485FBA33A173A79013A4F9AB004D251C1EC6C7A479CEA9D2E891D7F2','e18a51f90c52',NULL);
INSERT INTO "credentials" VALUES('key_03GANXBiLavZgf7uoN1JFo','api_key','ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiMPuNoA8WhOyD3T','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiLavZgf7uoN1JFo','','{}','bf_key_03GA…pZOv','usr_03GANXBiLjGxI0mVI48B6w',1900000000000000,1900000000000000,NULL,NULL,NULL,X'8856DDF61CA0EAA58D47DA6A7D9FFE7830493534AE659C446EBA025DB7221608','e18a51f90c52',NULL);
CREATE TABLE denials (
        request_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT,
        user_id TEXT,
        credential_id TEXT,
        kind TEXT,
        reason TEXT NOT NULL,
        refused_by TEXT NOT NULL,
        figures TEXT NOT NULL,
        CONSTRAINT pk_denials PRIMARY KEY (request_id)
    );
CREATE TABLE expiry_notices (
        credential_id TEXT NOT NULL,
        ends_at BIGINT NOT NULL,
        days BIGINT NOT NULL,
        CONSTRAINT pk_expiry_notices PRIMARY KEY (credential_id, ends_at, days)
    );
CREATE TABLE feed_bounds (
        id BIGINT NOT NULL,
        pruned_through BIGINT NOT NULL,
        CONSTRAINT pk_feed_bounds PRIMARY KEY (id),
        CONSTRAINT ck_feed_bounds_single CHECK (id = 1)
    );
INSERT INTO "feed_bounds" VALUES(1,0);
CREATE TABLE guesses (
        subject TEXT NOT NULL,
        failures BIGINT NOT NULL,
        refused_until_us BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_guesses PRIMARY KEY (subject),
        CONSTRAINT ck_guesses_failures CHECK (failures >= 0)
    );
CREATE TABLE idempotency_claims (
        key_digest BLOB NOT NULL,
        request_digest BLOB NOT NULL,
        sealed_answer BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_idempotency_claims PRIMARY KEY (key_digest)
    );
CREATE TABLE known_places (
        user_id TEXT NOT NULL,
        place TEXT NOT NULL,
        seen_at BIGINT NOT NULL,
        CONSTRAINT pk_known_places PRIMARY KEY (user_id, place),
        CONSTRAINT fk_known_places_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    );
CREATE TABLE limit_holders (
        subject TEXT NOT NULL,
        holder TEXT NOT NULL,
        units BIGINT NOT NULL,
        until_us BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_holders PRIMARY KEY (subject, holder),
        CONSTRAINT ck_limit_holders_units CHECK (units > 0)
    );
CREATE TABLE limit_windows (
        subject TEXT NOT NULL,
        hour_ends_us BIGINT NOT NULL,
        hour_used BIGINT NOT NULL,
        burst_ends_us BIGINT NOT NULL,
        burst_used BIGINT NOT NULL,
        seen_us BIGINT NOT NULL,
        CONSTRAINT pk_limit_windows PRIMARY KEY (subject),
        CONSTRAINT ck_limit_windows_hour CHECK (hour_used >= 0),
        CONSTRAINT ck_limit_windows_burst CHECK (burst_used >= 0)
    );
CREATE TABLE one_time_secrets (
        id TEXT NOT NULL,
        purpose VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        email_folded TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_by TEXT,
        failures BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_one_time_secrets PRIMARY KEY (id),
        CONSTRAINT uq_one_time_secrets_digest UNIQUE (digest),
        CONSTRAINT fk_one_time_secrets_tenant_id_user_id FOREIGN KEY(tenant_id, user_id)
            REFERENCES users (tenant_id, id),
        CONSTRAINT ck_one_time_secrets_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_one_time_secrets_failures CHECK (failures >= 0),
        CONSTRAINT ck_one_time_secrets_purpose CHECK (purpose IN ('invitation', 'password_reset', 'login'))
    );
CREATE TABLE passwords (
        user_id TEXT NOT NULL,
        user_kind VARCHAR(32) NOT NULL,
        hash TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_passwords PRIMARY KEY (user_id),
        CONSTRAINT fk_passwords_user_id_user_kind FOREIGN KEY(user_id, user_kind) REFERENCES users (id, kind),
        CONSTRAINT ck_passwords_person CHECK (user_kind = 'person'),
        CONSTRAINT ck_passwords_hash_length CHECK (length(hash) BETWEEN 1 AND 1024),
        CONSTRAINT ck_passwords_user_kind CHECK (user_kind IN ('person', 'service'))
    );
INSERT INTO "passwords" VALUES('usr_03GANXBiLjGxI0mVI48B6w','person','$argon2id$v=19$m=8,t=1,p=1$hWLtm4XReK4p8JNvdxAcfQ$SrISWBwFo9ZM1Y2/fvoYnqIGOULLzXMiPQ1uQIdDIso',1900000000000000);
CREATE TABLE plans (
        name TEXT NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, bearer_token_seconds BIGINT
        CONSTRAINT ck_plans_bearer_token_seconds CHECK (bearer_token_seconds > 0),
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    );
INSERT INTO "plans" VALUES('free',1000,50,'{"api_key":1000,"bearer_token":2000,"jwt_session":2000,"oauth_access_token":5000,"personal_access_token":1000}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('pro',10000,200,'{}','credential',1900000000000000,1900000000000000,NULL);
INSERT INTO "plans" VALUES('enterprise',NULL,1000,'{}','credential',1900000000000000,1900000000000000,NULL);
CREATE TABLE recovery_codes (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        redeemed_at BIGINT,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (digest),
        CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id),
        CONSTRAINT ck_recovery_codes_digest_length CHECK (length(digest) = 32)
    );
CREATE TABLE refresh_tokens (
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        spent_at BIGINT,
        successor BLOB,
        sealed_answer BLOB,
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (digest),
        CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
        CONSTRAINT ck_refresh_tokens_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_refresh_tokens_successor CHECK ((spent_at IS NULL) = (successor IS NULL)),
        CONSTRAINT ck_refresh_tokens_sealed_answer CHECK (sealed_answer IS NULL OR spent_at IS NOT NULL)
    );
CREATE TABLE sessions (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        device TEXT NOT NULL,
        address TEXT,
        methods TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        authenticated_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (id),
        CONSTRAINT fk_sessions_id FOREIGN KEY(id) REFERENCES credentials (id) ON DELETE CASCADE,
        CONSTRAINT ck_sessions_device_length CHECK (length(device) <= 255)
    );
CREATE TABLE signing_keys (
        kid TEXT NOT NULL,
        algorithm VARCHAR(32) NOT NULL,
        status VARCHAR(32) NOT NULL,
        public_jwk TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        activated_at BIGINT,
        retired_at BIGINT,
        published_until BIGINT,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
        CONSTRAINT ck_signing_keys_algorithm CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256')),
        CONSTRAINT ck_signing_keys_status CHECK (status IN ('next', 'current', 'retired')),
        CONSTRAINT ck_signing_keys_retired CHECK ((status = 'retired') = (retired_at IS NOT NULL)),
        CONSTRAINT ck_signing_keys_published_until CHECK ((retired_at IS NULL) = (published_until IS NULL))
    );
CREATE TABLE tenants (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan TEXT,
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, personal_access_token_seconds_max BIGINT
        CONSTRAINT ck_tenants_personal_access_token_seconds_max CHECK (personal_access_token_seconds_max > 0),
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    );
INSERT INTO "tenants" VALUES('ten_03GANXBiKQWHqVS1eGUeB2','default','active','free',1,1900000000000000,1900000000000000,NULL);
CREATE TABLE totp_factors (
        user_id TEXT NOT NULL,
        sealed BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        last_counter BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        confirmed_at BIGINT,
        CONSTRAINT pk_totp_factors PRIMARY KEY (user_id),
        CONSTRAINT fk_totp_factors_user_id FOREIGN KEY(user_id) REFERENCES users (id)
    );
CREATE TABLE usage_counts (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) WITHOUT ROWID
    ;
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','accepted',18);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','accepted',18);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiKQWHqVS1eGUeB2','usr_03GANXBiLjGxI0mVI48B6w','key_03GANXBiLxZ9Ogec66z07c','accepted',18);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('3081f34cf14b86753df044122d4fd0b0',5,1900000000000000);
CREATE TABLE users (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        email TEXT,
        email_folded TEXT,
        name TEXT NOT NULL,
        role VARCHAR(32) NOT NULL,
        scopes TEXT,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT uq_users_id_kind UNIQUE (id, kind),
        CONSTRAINT ck_users_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_users_email_length CHECK (length(email) BETWEEN 1 AND 320),
        CONSTRAINT ck_users_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_users_email_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
        CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
        CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
        CONSTRAINT ck_users_status CHECK (status IN ('active', 'disabled', 'deleted'))
    );
INSERT INTO "users" VALUES('usr_03GANXBiLjGxI0mVI48B6w','ten_03GANXBiKQWHqVS1eGUeB2','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiMPuNoA8WhOyD3T','ten_03GANXBiKQWHqVS1eGUeB2','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE INDEX ix_plans_created ON plans (created_at, name);
CREATE INDEX ix_tenants_created ON tenants (created_at, id);
CREATE INDEX ix_tenants_plan ON tenants (plan);
CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator;
CREATE INDEX ix_users_created ON users (created_at, id);
CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id);
CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted';
CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL;
CREATE INDEX ix_audit_events_at ON audit_events (at, id);
CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id);
CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE INDEX ix_credentials_created ON credentials (kind, created_at, id);
CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, kind, created_at, id);
CREATE INDEX ix_credentials_user_created ON credentials (user_id, kind, created_at, id);
CREATE INDEX ix_credentials_token_ends ON credentials (expires_at) WHERE kind IN ('bearer_token', 'jwt_session', 'oauth_access_token');
CREATE INDEX ix_denials_at ON denials (at);
CREATE INDEX ix_expiry_notices_ends ON expiry_notices (ends_at);
CREATE INDEX ix_credentials_key_ends ON credentials (kind, expires_at)
    WHERE kind IN ('api_key', 'personal_access_token') AND expires_at IS NOT NULL
    ;
CREATE UNIQUE INDEX uq_signing_keys_status ON signing_keys (status) WHERE status <> 'retired';
CREATE INDEX ix_sessions_user_created ON sessions (user_id, created_at, id);
CREATE INDEX ix_sessions_tenant_created ON sessions (tenant_id, created_at, id);
CREATE INDEX ix_refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX ix_refresh_tokens_expires ON refresh_tokens (expires_at);
CREATE INDEX ix_one_time_secrets_user ON one_time_secrets (user_id, purpose);
CREATE INDEX ix_one_time_secrets_expires ON one_time_secrets (expires_at);
CREATE INDEX ix_recovery_codes_user ON recovery_codes (user_id);
CREATE INDEX ix_changes_transaction ON changes (transaction_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
